"""The latch: nothing that happens beside it loses a stop."""

import threading

from dofbot_ros.safety.estop import EmergencyStop


def test_stands_from_trip_to_reset_and_keeps_the_first_reason():
    stop = EmergencyStop()
    assert (stop.tripped, stop.reason, stop.current) == (False, "", None)
    stop.trip("button")
    stop.trip("key")
    assert (stop.tripped, stop.reason) == (True, "button")
    stop.reset(stop.current)
    assert (stop.tripped, stop.reason) == (False, "")


def test_a_reset_ends_only_the_stop_that_it_has_seen():
    stop = EmergencyStop()
    stop.trip("first")
    seen = stop.current
    stop.trip("second, while somebody resets the first")
    stop.reset(seen)
    assert stop.tripped
    assert stop.reason == "first"


def test_no_trip_is_lost_between_threads_that_reset():
    stop, done = EmergencyStop(), threading.Event()

    def reset_all_the_time():
        while not done.is_set():
            if (seen := stop.current) is not None:
                stop.reset(seen)

    resetting = threading.Thread(target=reset_all_the_time)
    resetting.start()
    for k in range(2000):
        stop.trip(str(k))
    done.set()
    resetting.join()
    stop.trip("last")
    assert stop.tripped
