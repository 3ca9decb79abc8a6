"""The queue gives each user a turn, however many jobs another has put before."""

from latentfu.jobs.store import Job, JobStore, job_key


def test_turns_go_round_the_owners_and_each_owners_jobs_stay_in_order(tmp_path):
    store = JobStore(tmp_path / "jobs.sqlite")
    for number, name in enumerate(["a1", "a2", "a3", "a4", "b1", "-1", "b2", "-2", "c1"]):
        owner = name[0].strip("-")
        store.put(Job(id=job_key(owner, name), kind="edit", body={}, created=float(number)))
    order = []
    while (job := store.claim()) is not None:
        order.append(job.public_id)
        if job.public_id == "a2":  # who comes late is next after one of each other
            store.put(Job(id=job_key("d", "d1"), kind="edit", body={}, created=9.0))
    store.close()
    assert order == ["a1", "b1", "-1", "c1", "a2", "d1", "b2", "-2", "a3", "a4"]


def test_old_results_go_owner_by_owner(tmp_path):
    store = JobStore(tmp_path / "jobs.sqlite")
    for name in ["a1", "a2", "a3", "b1"]:
        key = job_key(name[0], name)
        store.put(Job(id=key, kind="edit", body={}, created=0.0))
        store.claim()
        store.end(key, "done", report={"inversion_key": name * 32})
    assert store.has_reported("a", "a1" * 32)
    assert not store.has_reported("b", "a1" * 32)
    assert sorted(store.prune(1e9, max_ended=2)) == ["a.a1"]
    assert [job.id for job in store.newest("b")] == ["b.b1"]
    assert store.count_by_owner() == {("a", "done"): 2, ("b", "done"): 1}
    store.close()
