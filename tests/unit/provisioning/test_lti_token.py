"""The signed assertion, what platforms answer to it, and the key behind it."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import jwt
import pytest
import responses
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from git_exchange.errors import ConfigurationError, LmsError, LmsRefused
from git_exchange.provisioning.lms.keys import ToolKey, jwks, make_key, public_pem, read_key
from git_exchange.provisioning.lms.lti_token import ROSTER_SCOPE, Platform, TokenSource, assertion
from tests.unit.provisioning.lms import PLATFORM, TOKEN_URL, answers, exchange, granted, new_key, session, tokens

NOW = 1_795_000_000.0


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> ToolKey:
    return new_key(tmp_path_factory.mktemp("key"))


def test_the_assertion_is_what_the_platform_can_check_with_our_jwks(key: ToolKey) -> None:
    text = assertion(PLATFORM, key, now=NOW)
    published = jwt.PyJWKSet.from_json(json.dumps(jwks([key])))
    header = jwt.get_unverified_header(text)
    signing = next(candidate for candidate in published.keys if candidate.key_id == header["kid"])
    claims = jwt.decode(
        text, signing.key, algorithms=["RS256"], audience=TOKEN_URL, options={"verify_exp": False, "verify_iat": False}
    )
    assert claims["iss"] == claims["sub"] == "aBcD1234"
    assert claims["iat"] < NOW < claims["exp"]
    assert header["typ"] == "JWT"


def test_two_assertions_differ(key: ToolKey) -> None:
    first, second = (jwt.decode(assertion(PLATFORM, key, now=NOW), options={"verify_signature": False}) for _ in "ab")
    assert first["jti"] != second["jti"]


def test_the_audience_is_what_the_configuration_says(key: ToolKey) -> None:
    brightspace = Platform("https://d2l.example", "1", TOKEN_URL, "https://api.brightspace.com/auth/token")
    claims = jwt.decode(assertion(brightspace, key, now=NOW), options={"verify_signature": False})
    assert claims["aud"] == "https://api.brightspace.com/auth/token"


@responses.activate
def test_a_token_is_kept_until_a_minute_before_its_end(key: ToolKey) -> None:
    responses.add(granted(ROSTER_SCOPE))
    times = [NOW]
    source = TokenSource(PLATFORM, key, session(), clock=lambda: times[0])
    first = source.token([ROSTER_SCOPE])
    times[0] = NOW + 3500
    assert source.token([ROSTER_SCOPE]) is first
    times[0] = NOW + 3541
    source.token([ROSTER_SCOPE])
    assert len(responses.calls) == 2
    assert first.value not in repr(source.__dict__)


@pytest.mark.parametrize(
    ("which", "words"),
    [
        ("expired_assertion", "clock"),
        ("iat_5s_future", "clock"),
        ("wrong_key", "lti keys"),
        ("unknown_client", "client id"),
        ("scope_not_enabled_for_tool", "Switch it on"),
        ("tool_without_key", "lti keys"),
        ("keyset_unreachable", "JWKS"),
        ("scope_missing_parameter", "Compare"),
    ],
)
@responses.activate
def test_a_refusal_says_what_to_look_at(key: ToolKey, which: str, words: str) -> None:
    responses.add(answers(exchange("moodle_live_token", which)))
    with pytest.raises(LmsRefused) as caught:
        tokens(key).token([ROSTER_SCOPE])
    assert words in str(caught.value)


@responses.activate
def test_fewer_scopes_than_asked_for_are_named(key: ToolKey) -> None:
    responses.add(answers(exchange("moodle_live_token", "ok_subset_grade_sync_only_tool")))
    with pytest.raises(LmsRefused, match=r"contextmembership\.readonly"):
        tokens(key).token([ROSTER_SCOPE])


@pytest.mark.parametrize(
    "said", [{}, [], {"access_token": 5}, {"access_token": "a b"}, {"access_token": "x", "token_type": "mac"}]
)
@responses.activate
def test_an_answer_without_a_usable_token_is_an_error(key: ToolKey, said: object) -> None:
    responses.add("POST", TOKEN_URL, json=said)
    with pytest.raises(LmsError):
        tokens(key).token([ROSTER_SCOPE])


def test_a_new_key_is_only_ours_and_is_read_back(tmp_path: Path) -> None:
    made = make_key(tmp_path / "lti.pem")
    assert stat.S_IMODE((tmp_path / "lti.pem").stat().st_mode) == 0o600
    assert read_key(tmp_path / "lti.pem").key_id == made.key_id
    assert public_pem(made).startswith("-----BEGIN PUBLIC KEY-----")
    assert repr(made) == f"ToolKey(key_id={made.key_id!r})"
    with pytest.raises(ConfigurationError, match="exists already"):
        make_key(tmp_path / "lti.pem")


def test_two_keys_are_published_during_a_change(tmp_path: Path) -> None:
    published = jwks([make_key(tmp_path / "a.pem"), make_key(tmp_path / "b.pem")])["keys"]
    assert len({entry["kid"] for entry in published}) == 2
    assert {(entry["alg"], entry["use"], entry["kty"]) for entry in published} == {("RS256", "sig", "RSA")}
    assert all(set(entry) == {"kty", "n", "e", "kid", "alg", "use"} for entry in published)


def _pem(path: Path, private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, mode: int = 0o600) -> Path:
    path.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(mode)
    return path


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="Other users"):
        read_key(_pem(tmp_path / "k.pem", rsa.generate_private_key(65537, 2048), 0o640))


def test_a_key_that_is_too_short_or_no_rsa_key_is_refused(tmp_path: Path) -> None:
    for name, private in (("s", rsa.generate_private_key(65537, 1024)), ("e", ec.generate_private_key(ec.SECP256R1()))):
        with pytest.raises(ConfigurationError, match="RSA key of at least 2048"):
            read_key(_pem(tmp_path / name, private))


@pytest.mark.parametrize("content", ["", "hello", "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n"])
def test_a_file_that_is_no_key_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "k.pem"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(ConfigurationError, match="not a private key"):
        read_key(path)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_key(tmp_path / "missing.pem")
