"""Graphics memory, by NVML (package `nvidia-ml-py`, an extra). A machine without it has none to speak of."""

import asyncio
import importlib
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

RESERVED_BYTES: Final = 4 << 30
"""Of each GPU: the working cap is what is left (product contract, section 6)."""

log = logging.getLogger(__name__)


class Gpus:
    """Asked in a thread of its own: the driver may take its time. One question at a time."""

    def __init__(self, nvml: Any) -> None:
        """`nvml`: the module pynvml, initialised."""
        self._nvml = nvml
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="nvml")
        self._failed = False

    async def share(self) -> float | None:
        """Used share of the working cap, of the fullest GPU; None when no GPU is larger than what is reserved, or when
        the driver does not answer (any more)."""
        if self._failed:
            return None
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._ask)
        except self._nvml.NVMLError as error:
            self._failed = True
            log.warning("graphics memory cannot be read any more (%s)", error)
            return None

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _ask(self) -> float | None:
        nvml = self._nvml
        read = [
            nvml.nvmlDeviceGetMemoryInfo(nvml.nvmlDeviceGetHandleByIndex(i)) for i in range(nvml.nvmlDeviceGetCount())
        ]
        return max((m.used / (m.total - RESERVED_BYTES) for m in read if m.total > RESERVED_BYTES), default=None)


def found(module: str = "pynvml") -> Gpus | None:
    """This machine's, or None: not installed, no driver, no GPU."""
    try:
        nvml = importlib.import_module(module)
    except ImportError:
        return None
    try:
        nvml.nvmlInit()
        return Gpus(nvml) if nvml.nvmlDeviceGetCount() else None
    except nvml.NVMLError as error:
        log.info("no graphics memory to watch (%s)", error)
        return None
