"""Images that take their time: what moto's EC2 leaves out. Runs in the emulator's process.

moto makes an image available at once, accepts any name any number of times, and cannot tag an image's
snapshot. EC2 makes it `pending`, then `available` or `failed`, and refuses names (EC2 API reference,
CreateImage). Here time is counted in describeImages calls that ask for the image, so that a run with skipped
waits sees what a slow one does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock
from typing import Any

from kaidan.emulate.config import Images, Outcome, Problem

NAME = re.compile(r"[A-Za-z0-9()\[\] ./\-'@_]{3,128}")
"""CreateImage: 3 to 128 characters of these."""

NAME_MALFORMED = Problem(
    "InvalidAMIName.Malformed",
    "AMI names must be between 3 and 128 characters long, and may contain letters, numbers, "
    "'(', ')', '.', '-', '/' and '_'",
)


@dataclass(slots=True)
class Life:
    """An image not finished: how many describeImages calls have asked for it, and what it will come to."""

    not_found_polls: int
    finish_polls: int
    failed: Problem | None
    polls: int = 0

    @property
    def visible(self) -> bool:
        return self.polls > self.not_found_polls

    @property
    def finished(self) -> bool:
        return self.polls >= self.finish_polls


class Nursery:
    """The images that are pending, by id."""

    def __init__(self, behaviour: Images) -> None:
        self._behaviour = behaviour
        self._lives: dict[str, Life] = {}
        self._lock = Lock()  # moto's server answers each request in a thread of its own.

    def outcome(self, tags: dict[str, str]) -> Outcome | None:
        """The first outcome all of whose tags the source instance has."""
        return next((o for o in self._behaviour.outcomes if o.tags.items() <= tags.items()), None)

    def begin(self, image: Any, outcome: Outcome | None) -> None:
        """A new image: pending, and later what the configuration says."""
        hidden = self._behaviour.not_found_polls
        polls = (outcome and outcome.available_after_polls) or self._behaviour.available_after_polls
        image.state, image.state_reason = "pending", None
        with self._lock:
            self._lives[image.id] = Life(hidden, hidden + polls, outcome.failed if outcome else None)

    def poll(self, images: Iterable[Any]) -> list[str]:
        """One describeImages asks for these. Gives the ids that EC2 would not find yet."""
        with self._lock:
            return [image.id for image in images if image.id in self._lives and not self._step(image)]

    def _step(self, image: Any) -> bool:
        life = self._lives[image.id]
        life.polls += 1
        if life.finished:
            del self._lives[image.id]
            image.state = "failed" if life.failed else "available"
            image.state_reason = life.failed and {"Code": life.failed.code, "Message": life.failed.message}
        return life.visible


def install(behaviour: Images) -> None:
    """Give moto's EC2 these images. Before its first request; once in a process."""
    nursery = Nursery(behaviour)
    _wrap_create(nursery)
    _wrap_copy(nursery)
    _wrap_describe(nursery)


def _wrap_create(nursery: Nursery) -> None:
    from moto.ec2.models.amis import AmiBackend

    create = AmiBackend.create_image

    def create_image(
        self: Any, instance_id: str, name: str, description: str, tag_specifications: list[dict[str, Any]]
    ) -> Any:
        check_name(name, self.amis.values())
        outcome = nursery.outcome({t["key"]: t["value"] for t in self.get_instance(instance_id).get_tags()})
        if outcome and outcome.refused:
            raise _error(outcome.refused)
        of_snapshot = [s for s in tag_specifications if s["ResourceType"] == "snapshot"]
        image = create(self, instance_id, name, description, [s for s in tag_specifications if s not in of_snapshot])
        for tag in (tag for each in of_snapshot for tag in each["Tags"]):
            image.ebs_snapshot.add_tag(tag["Key"], tag["Value"])
        nursery.begin(image, outcome)
        return image

    AmiBackend.create_image = create_image  # type: ignore[method-assign]


def _wrap_copy(nursery: Nursery) -> None:
    from moto.ec2.models.amis import AmiBackend

    copy = AmiBackend.copy_image

    def copy_image(self: Any, *arguments: Any, **named: Any) -> Any:
        image = copy(self, *arguments, **named)
        nursery.begin(image, None)
        return image

    AmiBackend.copy_image = copy_image  # type: ignore[method-assign]


def _wrap_describe(nursery: Nursery) -> None:
    from moto.ec2.exceptions import InvalidAMIIdError
    from moto.ec2.responses.amis import AmisResponse

    describe = AmisResponse.describe_images

    def describe_images(self: Any) -> Any:
        ids = self._get_param("ImageIds", [])
        asked = [image for image in list(self.ec2_backend.amis.values()) if not ids or image.id in ids]
        hidden = nursery.poll(asked)
        if ids and hidden:
            raise InvalidAMIIdError(hidden)
        return describe(self)

    AmisResponse.describe_images = describe_images  # type: ignore[method-assign]


def check_name(name: str, images: Iterable[Any]) -> None:
    """Raise EC2's error for a name it would not take: malformed, or that of another image."""
    if not NAME.fullmatch(name or ""):
        raise _error(NAME_MALFORMED)
    for image in images:
        if image.name == name:
            message = f"AMI name {name} is already in use by AMI {image.id}"
            raise _error(Problem("InvalidAMIName.Duplicate", message))


def _error(problem: Problem) -> Exception:
    from moto.ec2.exceptions import EC2ClientError

    error: Exception = EC2ClientError(problem.code, problem.message)
    return error
