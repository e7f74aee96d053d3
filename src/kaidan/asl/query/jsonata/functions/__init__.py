"""The built-in functions: one visible table of names, signatures and implementations.

To add a function, write it in the file of its theme and add its line here.
"""
