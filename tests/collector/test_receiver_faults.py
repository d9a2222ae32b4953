"""The receiver among forged and repeated deliveries, hostile clients, broken disks and kills: nothing is lost."""

from __future__ import annotations

import random
import resource
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from git_exchange.collector import database as databases
from git_exchange.collector import receiver as receivers
from git_exchange.collector import serving
from git_exchange.collector.inbox import Inbox
from git_exchange.collector.values import Arrival
from tests.collector import deliveries
from tests.collector.receiving import Program, Threaded, post, program, threaded, until
from tests.collector.servers import PostgreSQL


@pytest.fixture
def running(inbox: Inbox, tmp_path: Path) -> Iterator[Threaded]:
    with threaded(inbox, tmp_path) as opened:
        yield opened


@pytest.fixture(scope="module")
def serving_program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    folder = tmp_path_factory.mktemp("program")
    with program(folder, f"sqlite:///{folder}/inbox.db") as opened:
        yield opened


def kept(folder: Path) -> set[str]:
    connection = sqlite3.connect(folder / "inbox.db")
    found = {row[0] for row in connection.execute("SELECT delivery FROM arrivals")}
    connection.close()
    return found


def test_deliveries_that_come_thrice_and_in_any_order_are_kept_once(running: Threaded) -> None:
    sent = [(f"d{number}", f"{number:040x}") for number in range(1, 31)] * 3
    random.Random(0).shuffle(sent)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda one: post(running.url, "gitea", delivery=one[0], commit=one[1]), sent))
    assert sorted(answer.status_code for answer in answers) == [200] * 60 + [202] * 30
    until(lambda: len(running.woken) == 30)
    assert running.inbox.counts().received == 30
    assert {(one.delivery, one.commit) for one in running.woken} == {(f"hook:15:{d}", commit) for d, commit in sent}


def test_forged_deliveries_keep_nothing_among_genuine_ones(running: Threaded) -> None:
    def send(number: int) -> int:
        key = deliveries.OLD_KEY if number % 2 else deliveries.KEY
        return post(running.url, "gitea", delivery=f"d{number}", key=key).status_code

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(40)))
    assert sorted(answers) == [202] * 20 + [401] * 20
    assert running.inbox.counts().received == 20


def test_a_replayed_body_says_only_what_was_true_before(running: Threaded) -> None:
    for name in ("first", "replayed"):
        assert post(running.url, "gitea", delivery=name).status_code == 202
    until(lambda: len(running.woken) == 2)
    assert len({(one.project_id, one.ref, one.commit) for one in running.woken}) == 1


def test_bodies_of_20_megabytes_cost_no_memory(serving_program: Program) -> None:
    post(serving_program.url, delivery="before")
    before = serving_program.memory()
    headers = dict(deliveries.gitlab(b"", deliveries.secret()))

    def send(chunked: bool) -> int:
        body = iter([bytes(500_000)] * 40) if chunked else bytes(20_000_000)
        url = f"{serving_program.url}/hooks/calculus/15"
        return requests.post(url, data=body, headers=headers, timeout=60).status_code

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(send, [False, True] * 4)) == [413] * 8
    assert serving_program.memory() - before < 20_000_000
    assert post(serving_program.url, delivery="after").status_code == 202


def test_a_body_without_an_end_is_cut_off(serving_program: Program) -> None:
    before = serving_program.memory()
    address = serving_program.url.removeprefix("http://").split(":")
    with socket.create_connection((address[0], int(address[1])), timeout=20) as line:
        line.sendall(b"POST /hooks/calculus/15 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunk = b"fffff\r\n" + bytes(0xFFFFF) + b"\r\n"
        with pytest.raises(OSError, match=r"reset|Broken pipe"):
            for _ in range(200):
                line.sendall(chunk)
    assert serving_program.memory() - before < 20_000_000


def slow(running: Threaded, start: bytes) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", running.port), timeout=20)
    line.sendall(start)
    return line


HALF_HEADERS = b"POST /hooks/calculus/15 HTTP/1.1\r\nHost: x\r\nX-A: "
HALF_BODY = b"POST /hooks/calculus/15 HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n{"


def test_more_slow_connections_than_there_is_room_for_do_not_keep_others_out(
    inbox: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "CONNECTIONS", 30)
    with threaded(inbox, tmp_path) as running, ExitStack() as stack:
        for start in [HALF_HEADERS, HALF_BODY, b""] * 20:
            stack.enter_context(slow(running, start))
        begun = time.monotonic()
        assert post(running.url).status_code == 202
        assert time.monotonic() - begun < 5
        assert (running.receiver.metrics.registry.get_sample_value("git_exchange_connections_evicted_total") or 0) >= 30


@pytest.mark.parametrize("start", [HALF_HEADERS, HALF_BODY])
def test_who_does_not_finish_is_hung_up_on(
    inbox: Inbox, tmp_path: Path, start: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "HEADER_SECONDS", 0.3)
    monkeypatch.setattr(serving, "BODY_SECONDS", 0.3)
    with threaded(inbox, tmp_path) as running, slow(running, start) as line:
        assert line.recv(100) == b""
        until(lambda: running.receiver.held == 0)


def test_what_was_answered_is_there_after_a_kill(tmp_path: Path) -> None:
    with program(tmp_path, f"sqlite:///{tmp_path}/inbox.db") as opened:
        answered: set[str] = set()

        def send(number: int) -> None:
            try:
                if post(opened.url, "gitea", delivery=f"d{number}").status_code == 202:
                    answered.add(f"hook:15:d{number}")
            except requests.RequestException:
                pass  # the forge sees the same; the sweep finds it

        with ThreadPoolExecutor(4) as pool:
            sending = [pool.submit(send, number) for number in range(60)]
            until(lambda: len(answered) >= 10)
            opened.kill()
            for one in sending:
                one.result()
        assert 10 <= len(answered) < 60
        assert answered <= kept(tmp_path)
        opened.start()
        assert post(opened.url, "gitea", delivery=min(answered).removeprefix("hook:15:")).status_code == 200


def test_a_locked_database_is_no_success_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "_BUSY_SECONDS", 0.2)
    inbox = Inbox.open(f"sqlite:///{tmp_path}/inbox.db")
    with threaded(inbox, tmp_path) as running:
        other = sqlite3.connect(tmp_path / "inbox.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda n: post(running.url, delivery=f"d{n}").status_code, range(8)))
        assert answers == [503] * 8
        other.execute("ROLLBACK")
        other.close()
        assert kept(tmp_path) == set()
        assert not running.woken
        assert post(running.url, delivery="d0").status_code == 202
    inbox.close()


def test_a_full_disk_is_no_success_and_leaves_nothing_half_written(serving_program: Program) -> None:
    assert serving_program.process is not None
    before = kept(serving_program.folder)
    limits = resource.prlimit(serving_program.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(serving_program.process.pid, resource.RLIMIT_FSIZE, (1, limits[1]))
    try:
        assert post(serving_program.url, delivery="full").status_code == 503
        assert kept(serving_program.folder) == before
    finally:
        resource.prlimit(serving_program.process.pid, resource.RLIMIT_FSIZE, limits)
    assert post(serving_program.url, delivery="full").status_code == 202
    assert kept(serving_program.folder) == {*before, "hook:15:full"}


def test_a_database_that_was_killed_serves_again_when_it_is_back(postgresql: PostgreSQL, tmp_path: Path) -> None:
    inbox = Inbox.open(postgresql.new_database("killed"))
    with threaded(inbox, tmp_path) as running:
        assert post(running.url, delivery="before").status_code == 202
        postgresql.kill()
        try:
            assert post(running.url, delivery="down").status_code == 503
            assert requests.get(f"{running.url}/healthz", timeout=20).status_code == 503
        finally:
            postgresql.start()
        assert post(running.url, delivery="after").status_code == 202
        assert running.inbox.counts().received == 2
    inbox.close()


def test_a_queue_that_hangs_or_breaks_holds_up_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(receivers, "LATER", 3)
    back = threading.Event()

    def hang(arrival: Arrival) -> None:
        back.wait(20)
        raise RuntimeError(f"a fault with {arrival.delivery}")

    inbox = Inbox.open(f"sqlite:///{tmp_path}/inbox.db")
    with threaded(inbox, tmp_path, wake=hang) as running:
        try:
            answers = [post(running.url, delivery=f"d{number}").status_code for number in range(5)]
            assert answers == [202] * 5
            told = running.receiver.metrics.registry.get_sample_value
            until(lambda: told("git_exchange_not_woken_total") == 2)  # counted after the answer
        finally:
            back.set()
        until(lambda: "a fault with hook:15:d0" in caplog.text)
        assert inbox.counts().waiting == 5
    inbox.close()


def test_what_is_under_way_when_it_is_ended_is_answered(serving_program: Program) -> None:
    other = sqlite3.connect(serving_program.folder / "inbox.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(post, serving_program.url, delivery="under-way")
        until(lambda: "git_exchange_hooks_pending 1.0" in metrics_of(serving_program))
        assert serving_program.process is not None
        serving_program.process.terminate()
        until(lambda: not metrics_of(serving_program))  # it listens no more
        other.execute("ROLLBACK")
        assert waiting.result().status_code == 202
    other.close()
    assert serving_program.process.wait(20) == 0
    assert "hook:15:under-way" in kept(serving_program.folder)
    serving_program.start()


def metrics_of(running: Program) -> str:
    try:
        return requests.get(f"{running.url}/metrics", timeout=20).text
    except requests.ConnectionError:
        return ""


def test_a_hundred_hooks_a_second_are_answered_at_once(running: Threaded) -> None:
    seconds: list[float] = []

    def send(number: int) -> int:
        time.sleep(max(0.0, begun + number / 100 - time.monotonic()))  # the pace is what is tested
        sent = time.monotonic()
        status = post(running.url, commit=f"{number + 1:040x}").status_code
        seconds.append(time.monotonic() - sent)
        return status

    begun = time.monotonic()
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(send, range(200)))
    assert answers == [202] * 200
    assert sorted(seconds)[100] < 1.0, "forges wait five seconds"
    until(lambda: len(running.woken) == 200)


def test_it_ends_in_good_order_and_has_told_no_secret(serving_program: Program) -> None:
    assert post(serving_program.url, delivery="last").status_code == 202
    assert serving_program.stop() == 0
    assert "Traceback" not in serving_program.log
    assert deliveries.secret().token not in serving_program.log
    assert "hook:15:last" in serving_program.log
    serving_program.start()
