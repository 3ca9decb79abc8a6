"""Real GIMP 3: what happens to learning that nobody waits for any more."""

from __future__ import annotations

from tests.gimp.desktop import wait_for
from tests.gimp.edit_window import Edit

JOBS = """
    from latentfu_gimp import finder
    with finder.connect() as client:
        jobs = client.get("/v1/jobs")["jobs"]
    value = [[job["id"], job["kind"], job["state"]] for job in jobs]
"""


def test_another_method_cancels_what_is_learnt(edit: Edit) -> None:
    """B10: the server drops the abandoned inversion at once and the new one starts."""
    edit.do("image = load(SECOND); layer = image.get_layers()[0]")  # not learnt yet
    before = {name for name, *_ in edit.do(JOBS)}
    edit.open(learnt=False, edits="", inverter="slow")
    wait_for(lambda: "slowly" in edit.look("said()", ""), "it does not learn")
    edit.do("""
        boxes = [w for w in parts(window()) if isinstance(w, Gtk.ComboBoxText)]
        value = [box.set_active_id('instant') for box in boxes]
    """)

    def list_mine() -> list[list[str]]:
        return [what for name, *what in edit.do(JOBS) if name not in before]

    wait_for(lambda: ["invert", "done"] in list_mine(), "it waits for the old one", 20)
    assert ["invert", "cancelled"] in list_mine()
