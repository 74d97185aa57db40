"""What a function remembers and says about its batches.

Delivery is at least once: after a crash a batch can come again. Topic, partition and offset name a
record for ever, and offsets ascend within a partition, so remembering the last one is enough to notice a
repetition; one for each mapping, since two mappings may well deliver the same record. This memory ends with
the process. A real function keeps the offset where its results are, written in the same transaction.
"""

import threading

_last_offsets: dict[str, int] = {}
_lock = threading.Lock()


class BatchSummary:
    def __init__(self, mapping):
        """`mapping`: what the call says in `penstock-mapping-id`."""
        self._mapping = mapping
        self._ranges: dict[str, list[int]] = {}
        self._records = 0
        self._repeated = 0

    def handle(self, topic, partition, offset, work):
        """Counts a record and runs `work` unless the record was handled before."""
        name = f"{topic}[{partition}]"
        self._ranges.setdefault(name, [offset, offset])[1] = offset
        self._records += 1
        memory = f"{self._mapping} {name}"
        with _lock:
            if offset <= _last_offsets.get(memory, -1):
                self._repeated += 1
                return
            work()
            _last_offsets[memory] = offset

    def __str__(self):
        """One line, such as `12 records  orders[0] 40-46  orders[3] 7-11`."""
        count = f"{self._records} record{'' if self._records == 1 else 's'}"
        ranges = [f"{name} {first}-{last}" for name, (first, last) in self._ranges.items()]
        repeated = [f"({self._repeated} seen before)"] if self._repeated else []
        return "  ".join([count, *ranges, *repeated])
