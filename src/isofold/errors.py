"""Errors of isofold. Every message says the rule, what was found, and what to do.

IsofoldError
├── DataError (ValueError)           a recording, label or trial table breaks a rule
│   ├── MissingValuesError           NaN, or -1 in a discrete label, where a model needs values
│   ├── SessionError (RuntimeError)  which recording of a fit is meant is not said, or wrong
│   └── UnsupportedError (NotImplementedError)   this combination does not exist
├── ReadError (ValueError)           a file cannot be read as a session
│   └── UnsafeFileError              reading the file would execute code that it carries
├── StudyError (ValueError)          a study file or results folder breaks a rule
└── MissingDependencyError (ImportError)   an optional package is needed
"""


class IsofoldError(Exception):
    """Base of every error that isofold raises on purpose."""


class DataError(IsofoldError, ValueError):
    """A recording, label or trial table breaks a rule."""


class MissingValuesError(DataError):
    """A model met NaN (or -1 in a discrete label) in what it uses."""


class SessionError(DataError, RuntimeError):
    """Which recording of a fit is meant is not said, or there is none of that name."""


class UnsupportedError(DataError, NotImplementedError):
    """Each part is fine; the combination does not exist."""


class ReadError(IsofoldError, ValueError):
    """A file cannot be read as a session."""


class UnsafeFileError(ReadError):
    """Reading the file would execute code that it carries (pickle)."""


class StudyError(IsofoldError, ValueError):
    """A study file or results folder breaks a rule."""


class MissingDependencyError(IsofoldError, ImportError):
    """An optional package is needed; the message names the extra."""
