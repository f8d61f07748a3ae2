"""A plain function over many items, in processes of this machine and on other nodes of a cluster.

The results are those of a loop, in the order of the items, however many processes there are. Starting a process takes
seconds, since it loads its libraries anew: what takes less in a loop stays one.
"""

from core.parallel.execution import Executor, executor, map_parallel

__all__ = ["Executor", "executor", "map_parallel"]
