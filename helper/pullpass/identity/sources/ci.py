"""Jobs of other CI platforms, by the variables that they set."""

from pullpass.errors import IdentityError
from pullpass.identity.effects import Steps
from pullpass.identity.source import Wanted


def gitlab(wanted: Wanted) -> Steps[str | None]:
    """Returns the variable that the job declares under ``id_tokens``.

    https://docs.gitlab.com/ci/secrets/id_token_authentication/
    """
    yield from ()
    if "GITLAB_CI" not in wanted.environ:
        return None
    variable = wanted.parameters["variable"]
    token = wanted.environ.get(variable)
    if not token:
        raise IdentityError(
            f"the job has no {variable}: write «{variable}: {{aud: {wanted.audience}}}» under its"
            " «id_tokens:»"
        )
    return token
