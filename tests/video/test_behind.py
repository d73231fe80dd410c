import threading

import pytest

from pgnet.video.behind import WAITING, Behind


def test_all_is_done_in_order_and_in_another_thread():
    done, threads = [], set()

    def work(item):
        threads.add(threading.current_thread())
        done.append(item)

    with Behind(work) as behind:
        for i in range(100):
            behind.put(i)
    assert done == list(range(100))
    assert threading.main_thread() not in threads
    assert not any(thread.is_alive() for thread in threads)


def test_few_items_wait():
    go, begun = threading.Event(), []

    def work(item):
        begun.append(item)
        go.wait()

    handed_over = []
    with Behind(work) as behind:

        def hand_over():
            for i in range(20):
                behind.put(i)
                handed_over.append(i)

        thread = threading.Thread(target=hand_over)
        thread.start()
        thread.join(0.2)
        assert len(handed_over) <= WAITING + 1
        assert len(begun) == 1
        go.set()
        thread.join()
    assert begun == list(range(20))


def test_an_error_comes_back_and_ends_the_work():
    done = []

    def work(item):
        if item == 3:
            raise OSError("disk full")
        done.append(item)

    def put_all():
        for i in range(1000):
            behind.put(i)

    behind = Behind(work)
    with pytest.raises(OSError, match="disk full"):
        put_all()
    behind.close()
    assert done == [0, 1, 2]


def test_an_error_at_the_end_is_not_lost():
    def work(_):
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"), Behind(work) as behind:
        behind.put(1)


def test_what_waits_is_dropped_when_the_block_raises():
    first, go, done = threading.Event(), threading.Event(), []

    def work(item):
        first.set()
        go.wait()
        done.append(item)

    def interrupted():
        with Behind(work) as behind:
            for i in range(3):
                behind.put(i)
            first.wait()
            threading.Timer(0.05, go.set).start()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert done == [0]
