"""What happens behind a dialog, without one: the order of requests, the newest wins, closing."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

from latentfu_gimp.jobs import Work, tell_fit
from latentfu_gimp.session import Session, Watcher
from latentfu_gimp.wire import Picture
from latentfu_gimp.worker import Worker

WORK = Work(Picture(16, 16, 3, bytes(768)), edits={"smile": 1.0})


class Main:
    """The main thread's queue: calls are run when the test takes them."""

    def __init__(self) -> None:
        self._calls: queue.Queue[Callable[[], None]] = queue.Queue()
        self.errors: list[str] = []
        self.session = Session(
            self._calls.put, Watcher(lambda _fraction, _text: None, self.errors.append)
        )

    def until(self, results: list[Any], count: int = 1) -> list[Any]:
        while len(results) < count:
            self._calls.get(timeout=10)()
        return results

    def drain(self) -> None:
        while not self._calls.empty():
            self._calls.get()()

    def close(self) -> None:
        """Close and wait for the thread, so that nothing of it reaches the next test."""
        self.session.close()
        for thread in threading.enumerate():
            if thread.name == "latentfu":
                thread.join(10)


def test_open_prepare_preview_finish(serve) -> None:
    serve()
    main, seen = Main(), []
    main.session.open("", seen.append)
    assert [one["name"] for one in main.until(seen)[0].generators] == ["portraits", "others"]
    main.session.prepare(WORK, seen.append)
    main.session.preview(WORK, 32, seen.append)
    main.session.finish([WORK], seen.append)
    main.until(seen, 3)
    assert seen[-1][0].report["generator"] == "portraits"
    assert not main.errors
    main.close()


def test_a_person_is_told_of_a_poor_fit_and_of_an_edit_that_did_nothing(serve) -> None:
    serve()
    main, seen = Main(), []
    main.session.prepare(WORK, seen.append)
    (report,) = main.until(seen)
    assert tell_fit(report) == ""  # as a server of before says nothing about it
    told = {"warning": "It is outside.", "advice": "Try another.", "unchanged": "Nothing moved."}
    assert tell_fit({**report, **told}) == "It is outside. Try another. Nothing moved."
    assert tell_fit({**report, "fit": "good", "warning": "", "unchanged": ""}) == ""
    main.close()


def test_only_the_newest_preview_is_asked_for(serve) -> None:
    server = serve()
    main, seen = Main(), []
    main.session.open("", seen.append)
    main.until(seen)
    for step in range(20):
        main.session.preview(WORK.with_edits({"smile": float(step)}), 32, seen.append)
    main.session.finish([WORK], seen.append)
    main.until(seen, 2)
    assert sum(line.startswith("PUT /v1/previews") for line in server.seen) <= 3
    main.close()


def test_a_quick_preview_is_followed_by_sharper_ones(serve) -> None:
    server = serve()
    main, seen = Main(), []
    main.session.open("", seen.append)
    main.until(seen)
    main.session.preview(WORK, 32, seen.append, quick=True)
    main.until(seen, 4)
    assert [one["quick"] for one in server.previews] == [16, 4, 0]
    assert server.previews[0]["edits"] == server.previews[2]["edits"]
    assert not main.errors
    main.close()


def test_server_that_dies_is_found_again(serve) -> None:
    server = serve("die")
    main, seen = Main(), []
    main.session.prepare(WORK, seen.append)
    main.until(main.errors)
    assert "stopped" in main.errors[0]
    server.behave = ""
    main.session.prepare(WORK, seen.append)
    assert main.until(seen)
    main.close()


def test_nothing_is_handed_over_after_closing(serve) -> None:
    server = serve("slow")
    main, seen = Main(), []
    main.session.prepare(WORK, seen.append)
    server.wait_for("GET /v1/jobs/")
    main.close()
    threading.Event().wait(0.3)
    main.drain()
    assert not seen and not main.errors


def test_what_is_learnt_no_more_is_cancelled_on_the_server(serve) -> None:
    server = serve("slow")
    main, seen = Main(), []
    main.session.prepare(WORK, lambda _report: seen.append("first"))
    server.wait_for("GET /v1/jobs/")
    server.behave = ""
    main.session.prepare(WORK.with_edits({}), lambda _report: seen.append("second"))
    assert main.until(seen) == ["second"] and not main.errors
    server.wait_for("DELETE /v1/jobs/")
    main.close()


def test_a_preview_of_a_method_that_was_left_is_never_made(serve) -> None:
    server = serve("slow")
    main, seen = Main(), []
    main.session.prepare(WORK, lambda _report: seen.append("first"))
    main.session.preview(WORK, 32, lambda _picture: seen.append("stale"))
    server.wait_for("GET /v1/jobs/")
    server.behave = ""
    main.session.prepare(WORK.with_edits({}), lambda _report: seen.append("second"))
    main.until(seen)
    main.session.preview(WORK, 33, lambda _picture: seen.append("new"))
    assert main.until(seen, 2) == ["second", "new"] and not main.errors
    assert [one["side"] for one in server.previews] == [33]
    main.close()


def test_worker_keeps_the_order_and_drops_overtaken_tasks() -> None:
    worker, done, started, go = Worker(), [], threading.Event(), threading.Event()

    def slow() -> None:
        started.set()
        go.wait(5)
        done.append("slow")

    last = threading.Event()
    worker.add(slow)
    started.wait(5)
    worker.replace(lambda: done.append("old"))
    worker.replace(lambda: (done.append("new"), last.set()))
    worker.add(lambda: done.append("task"))
    go.set()
    assert last.wait(5)
    assert done == ["slow", "task", "new"]
    worker.stop(lambda: None)


def test_controls_are_those_of_the_network_that_is_named(serve) -> None:
    serve()
    main, seen = Main(), []
    for asked in ("others", "gone", ""):
        main.session.open(asked, seen.append)
    main.until(seen, 3)
    assert [catalog.generator for catalog in seen] == ["others", "portraits", "portraits"]
    main.close()
