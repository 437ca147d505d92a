"""The demo: one referral from a member state to a hub and back, told step by step."""

import httpx

from relink.partner import StepFailed
from relink.running import Running
from relink.story import main_flow, real_input, waiting_list
from relink.story.telling import Teller


class StoryBroken(Exception):
    """A step did not turn out as the story tells it; the text says which and how."""


async def play(system: Running) -> None:
    """Every chapter has been played and told. Raises StoryBroken at the first step that fails."""
    teller = Teller()
    try:
        setting = await main_flow.play(system, teller)
        await waiting_list.play(system, setting, teller)
        await real_input.play(system, teller)
    except (StepFailed, httpx.HTTPError, KeyError) as error:  # a KeyError: an answer without the field we tell of
        words = str(error) if isinstance(error, StepFailed) else f"{type(error).__name__} {error}"
        raise StoryBroken(f"The demo stopped at “{teller.last}”: {words}") from error
    teller.end()
