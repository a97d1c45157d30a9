"""What pages say of a sign-in at an identity provider that came to nothing, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.choices import SignInRefusal


@dataclass(frozen=True)
class Words:
    """What a page says: {provider} and {email} are filled in. `anew`: trying again asks the provider who it is."""

    title: str
    text: str
    status: int = 403
    anew: bool = True


WORDS: dict[SignInRefusal, Words] = {
    SignInRefusal.NO_EMAIL: Words(
        "Your e-mail address is missing",
        "Latchkey knows people by their e-mail address, and {provider} did not send yours. Add it to your account "
        "there, or ask an admin to allow Latchkey the scope “email” at {provider}.",
    ),
    SignInRefusal.UNVERIFIED: Words(
        "Your e-mail address is not verified",
        "Latchkey opens an account only for an address that {provider} has verified. Verify it there, then sign in "
        "again. An admin can also make you a one-time link.",
    ),
    SignInRefusal.UNKNOWN: Words(
        "You have no account here yet",
        "Ask an admin of Latchkey to make one for {email}. After that this sign-in works.",
    ),
    SignInRefusal.TAKEN: Words(
        "This address belongs to another sign-in",
        "{email} is linked to another account at {provider}. Sign in with that one. If it is gone, ask an admin to "
        "remove the old link: Administration, Users.",
    ),
    SignInRefusal.DISABLED: Words(
        "Your account is disabled", "Ask an admin of Latchkey if you think it should not be."
    ),
    SignInRefusal.FOREIGN: Words(
        "{provider} does not vouch for your address",
        "Latchkey takes the word of {provider} for addresses of some domains only, and {email} is of another. Sign in "
        "with the provider of your own organisation, or ask an admin.",
    ),
    SignInRefusal.ANOTHER: Words(
        "That was another account",
        "You confirmed at {provider} with another account than the one you are signed in with here. Try again with "
        "your own.",
    ),
    SignInRefusal.NOT_PROVEN: Words(
        "{provider} did not confirm it",
        "Latchkey asked {provider} to ask you anew, and it answered without having done so. Try again. If it stays "
        "like this, tell an admin: the log of Latchkey says what was missing.",
        403,
    ),
    SignInRefusal.STALE: Words(
        "This sign-in is over",
        "It was used already, took longer than ten minutes, or began in another browser. Nothing happened.",
        400,
        anew=False,
    ),
    SignInRefusal.BAD_ANSWER: Words(
        "{provider} sent an answer that cannot be used",
        "Try again. If it stays like this, tell an admin: the reason is in the log of Latchkey.",
        502,
        anew=False,
    ),
    SignInRefusal.CANCELLED: Words(
        "You are not signed in",
        "You stopped at {provider}, or it does not let you use Latchkey. In that case ask who looks after {provider}.",
        403,
        anew=False,
    ),
    SignInRefusal.UNREACHABLE: Words(
        "{provider} does not answer",
        "That is not you. Try again in a minute. Access that is open stays open, and ends when it should.",
        503,
        anew=False,
    ),
}
