import json
from urllib.parse import parse_qs

import pytest

from fakes.answers import Answers
from fakes.exchange import CLAIMS, NOW, REGISTRY, STRONGBOX, TOKEN, says, trade
from fakes.jfrog import JFrog, unsigned
from pullpass.credential import Credential
from pullpass.errors import (
    ExchangeDenied,
    ExchangeError,
)
from pullpass.exchange.catalog import load
from pullpass.exchange.engine import audience
from pullpass.exchange.place import Place
from pullpass.secret import Secret


class TestJFrog:
    def test_a_token_becomes_a_user_and_a_password_which_end(self) -> None:
        credential = trade(JFrog(lifetime=3600))
        assert credential.username == "puller"
        assert credential.secret.reveal().count(".") == 2
        assert credential.expires_at == NOW + 3600

    def test_it_is_asked_in_its_own_words_and_no_more(self) -> None:
        platform = JFrog()
        trade(platform)
        (request,) = platform.seen
        assert request.url == "https://acme.jfrog.io/access/api/v1/oidc/token"
        assert request.headers == {"accept": "application/json", "content-type": "application/json"}
        assert json.loads(request.body) == {
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
            "subject_token": TOKEN,
            "provider_name": "strongbox",
        }

    def test_its_other_fields_are_sent_where_they_are_set(self) -> None:
        platform = JFrog()
        more = {"audience": REGISTRY, "identity_mapping_name": "puller", "project_key": "jfac"}
        trade(platform, parameters=STRONGBOX | more)
        assert json.loads(platform.seen[0].body).items() >= more.items()

    def test_the_platform_may_be_elsewhere_than_the_registry(self) -> None:
        platform = JFrog(origin="https://platform.example.com:8443", audience="docker.example.com")
        place = Place(registry="docker.example.com", exchange="https://platform.example.com:8443")
        token = unsigned(CLAIMS | {"aud": audience(load("jfrog"), STRONGBOX, place)})
        assert trade(platform, place=place, token=token).username == "puller"

    def test_it_may_be_on_loopback_without_tls(self) -> None:
        platform = JFrog(origin="http://127.0.0.1:8081")
        place = Place(registry="127.0.0.1:8081", insecure=True)
        assert trade(platform, place=place).username == "puller"

    def test_the_user_is_the_tokens_where_the_answer_names_none(self) -> None:
        assert trade(JFrog(names_user=False)).username == "puller"

    @pytest.mark.parametrize(
        ("subject", "username"),
        [
            ("jfrt@01h/users/bob", "bob"),
            ("jfrt@01h/bob", "bob"),
            ("jfac@01h/users/ci/bob", "bob"),
            ("strongbox/puller", "strongbox/puller"),
            ("bob", "bob"),
        ],
    )
    def test_a_user_name_is_a_path_unless_it_is_of_the_platforms_own_kind(
        self, subject: str, username: str
    ) -> None:
        answer = {"access_token": unsigned({"sub": subject})}
        assert trade(says(200, answer)).username == username

    @pytest.mark.parametrize("absent", [{"username": None}, {"username": ""}])
    def test_an_empty_user_name_is_none(self, absent: dict[str, str | None]) -> None:
        answer = {"access_token": unsigned({"sub": "bob"})} | absent
        assert trade(says(200, answer)).username == "bob"

    @pytest.mark.parametrize(
        ("platform", "parameters", "said"),
        [
            (
                JFrog(provider_name="other"),
                {},
                """401 (UNAUTHORIZED): check that provider_name is the integration's name, that it
                trusts the token's iss and aud, and that an identity mapping has its sub""",
            ),
            (
                JFrog(),
                {"audience": "other"},
                """400 (BAD_REQUEST): check project_key and identity_mapping_name, and leave
                audience out unless it is the integration's own""",
            ),
            (
                JFrog(origin="https://elsewhere.example.com"),
                {},
                """404 (NOT_FOUND): the registry has no OIDC token endpoint here: check exchange,
                which must be the address of the JFrog platform""",
            ),
        ],
    )
    def test_a_refusal_says_what_to_check(
        self, platform: JFrog, parameters: dict[str, str], said: str
    ) -> None:
        with pytest.raises(ExchangeDenied) as refused:
            trade(platform, parameters=STRONGBOX | parameters)
        where = "acme.jfrog.io: step token at https://acme.jfrog.io answered"
        assert str(refused.value) == " ".join(f"{where} {said}".split())


class TestRfc8693:
    def test_a_form_goes_to_the_servers_own_path(self) -> None:
        transport = says(200, {"access_token": "t", "expires_in": 300})
        place = Place(registry="r.example.com", exchange="https://sts.example.com")
        parameters = {"token_path": "realms/a b/token", "audience": "a&scope=*", "username": "me"}
        credential = trade(transport, spec=load("rfc8693"), parameters=parameters, place=place)
        (request,) = transport.seen
        assert credential == Credential(username="me", secret=Secret("t"), expires_at=NOW + 300)
        assert request.url == "https://sts.example.com/realms/a%20b/token"
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"
        assert parse_qs(request.body.decode(), strict_parsing=True) == {
            "grant_type": ["urn:ietf:params:oauth:grant-type:token-exchange"],
            "subject_token": [TOKEN],
            "subject_token_type": ["urn:ietf:params:oauth:token-type:jwt"],
            "audience": ["a&scope=*"],
        }

    def test_an_end_that_nobody_states_is_not_made_up(self) -> None:
        transport = says(200, {"access_token": "t"})
        credential = trade(transport, spec=load("rfc8693"), parameters={"token_path": "token"})
        assert credential.expires_at is None


class TestPassthrough:
    def test_the_token_itself_is_the_password(self) -> None:
        token = unsigned({**CLAIMS, "exp": int(NOW) + 300})
        transport = Answers(answers=[])
        credential = trade(transport, spec=load("passthrough"), parameters={}, token=token)
        assert credential == Credential(
            username="token", secret=Secret(token), expires_at=NOW + 300
        )
        assert transport.seen == []

    def test_a_token_that_has_ended_is_not_handed_out(self) -> None:
        token = unsigned({**CLAIMS, "exp": int(NOW)})
        with pytest.raises(ExchangeError, match="expired already"):
            trade(Answers(answers=[]), spec=load("passthrough"), parameters={}, token=token)
