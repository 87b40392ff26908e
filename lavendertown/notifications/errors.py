"""The error of a delivery."""

from __future__ import annotations

from lavendertown.core.errors import LavenderTownError


class DeliveryError(LavenderTownError):
    """A message was not accepted by its receiver.

    Attributes:
        is_final: Whether another attempt would fail, too.
        may_have_arrived: Whether the receiver may have accepted it nevertheless: it was sent, but there was
            no answer.
    """

    def __init__(self, problem: str, *, is_final: bool = False, may_have_arrived: bool = False) -> None:
        super().__init__(problem)
        self.is_final = is_final
        self.may_have_arrived = may_have_arrived
