"""How long a lost worker waits before it is started again."""

from impasto.engine.backoff import Backoff


def test_a_worker_that_never_comes_up_waits_longer_and_longer_up_to_a_bound():
    backoff = Backoff()
    waits = [backoff.after(worked=False) for _ in range(12)]
    assert waits == [0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0, 30.0, 30.0]


def test_a_worker_that_was_given_work_starts_again_at_once_however_often():
    backoff = Backoff()
    assert [backoff.after(worked=True) for _ in range(5)] == [0.0] * 5


def test_work_ends_a_row_of_starts_that_came_to_nothing():
    backoff = Backoff()
    waits = [backoff.after(worked=worked) for worked in (False, False, False, True, False, False)]
    assert waits == [0.0, 0.5, 1.0, 0.0, 0.0, 0.5]


def test_a_worker_that_was_lost_ten_thousand_times_is_still_tried():
    backoff = Backoff()
    assert [backoff.after(worked=False) for _ in range(10_000)][-1] == 30.0
