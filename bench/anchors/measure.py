"""CPU seconds of this process (every thread of it), stage by stage."""
import resource


class Stages:
    def __init__(self):
        self.seconds = {}
        self._last = self._now()

    @staticmethod
    def _now():
        used = resource.getrusage(resource.RUSAGE_SELF)
        return used.ru_utime + used.ru_stime

    def done(self, name):
        now = self._now()
        self.seconds[name] = now - self._last
        self._last = now

    def report(self, **more):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return {"cpu_seconds": self.seconds, "peak_memory_mb": peak, **more}
