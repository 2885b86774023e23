"""Errors: one root, the class docstring is the sentence the operator reads.

DialerError
 +-- ConfigError          the operator's settings
 +-- BadInput             a row, a line, an entry from outside
 +-- TelephonyError       Asterisk
 |    +-- LinkDown        no session, or lost with the action in flight: what became of it is unknown
 |    +-- AckTimeout      no answer in time: what became of the action is unknown
 |    +-- ActionRefused   Asterisk answered: Error
 |         +-- NoLease    it was not asked: another engine may lead
 +-- StoreError           Redis
 |    +-- StoreDown       cannot be reached, or refuses writes
 |    +-- NotLeader       another engine leads this campaign now
 +-- SpoolFailed          the file for changes that Redis cannot take
 +-- SetupError           something that has to be installed or started is not there
"""


class DialerError(Exception):
    """Santun cannot go on."""

    def __init__(self, detail: str = "") -> None:
        sentence = (type(self).__doc__ or "").strip().splitlines()[0]
        super().__init__(f"{sentence} {detail}".strip())
        self.detail = detail


class ConfigError(DialerError):
    """The configuration is not usable."""

    faults: tuple[str, ...] = ()  # each alone, where they are more than one sentence


class BadInput(DialerError):
    """This input makes no sense."""

    faults: tuple[str, ...] = ()  # as above


class TelephonyError(DialerError):
    """Asterisk did not do what was asked."""


class LinkDown(TelephonyError):
    """Asterisk cannot be reached."""


class AckTimeout(TelephonyError):
    """Asterisk did not acknowledge in time."""


class ActionRefused(TelephonyError):
    """Asterisk refused the action."""


class NoLease(ActionRefused):
    """Nothing was sent to Asterisk, for another engine may lead by now."""


class StoreError(DialerError):
    """Redis did not do what was asked."""


class StoreDown(StoreError):
    """Redis cannot be reached or refuses writes."""


class NotLeader(StoreError):
    """Another engine leads this campaign."""


class SpoolFailed(DialerError):
    """What waits for Redis cannot be kept on the disk."""


class SetupError(DialerError):
    """Something that Santun needs is not there."""
