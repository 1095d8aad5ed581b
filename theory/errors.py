"""What is explained to a user, by one root: everything else that is raised is a bug, and shows its traceback.

Here because theory is the lowest room. Each class is also the built-in exception that a caller would expect.
"""


class Error(Exception):
    """The root: its message says what is wrong and what to do. `pstar.Error` is this class."""


class Note(UserWarning):
    """What was done with an input that the user may not expect, and that is no fault; the command line prints it."""


class InputError(Error, ValueError):
    """An argument, option or file that is refused before any work is done: name, value, range and remedy."""


class KindError(Error, TypeError):
    """An object of a kind that the function is not for, such as another setting; the message names the right one."""


class RunError(Error, RuntimeError):
    """Work that could not be done, or not finished: what failed, what is kept, and what to do."""
