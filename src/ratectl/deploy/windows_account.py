"""Who runs us on Windows, asked of the system itself: no process, no localized text.

Elsewhere nobody: an empty SID, not elevated.
"""

from __future__ import annotations

import sys


def is_elevated() -> bool:
    """Tell whether this process has an administrator's rights, as from "Run as administrator"."""
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415 - Windows only

        return bool(ctypes.windll.shell32.IsUserAnAdmin())
    return False


def code_pages() -> tuple[str, ...]:
    """Return the encodings in which a program may print here: the console's, the OEM's and the ANSI code page."""
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415 - Windows only

        kernel = ctypes.windll.kernel32
        numbers = (kernel.GetConsoleOutputCP(), kernel.GetOEMCP(), kernel.GetACP())
        return tuple(dict.fromkeys(f"cp{number}" for number in numbers if number))
    return ()


def sid() -> str:
    """Return the account's security identifier, or an empty text where the system does not tell."""
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415 - Windows only
        from ctypes import wintypes  # noqa: PLC0415 - Windows only

        advapi, kernel = ctypes.windll.advapi32, ctypes.windll.kernel32
        kernel.GetCurrentProcess.restype = wintypes.HANDLE
        kernel.CloseHandle.argtypes = (wintypes.HANDLE,)
        kernel.LocalFree.argtypes = (ctypes.c_void_p,)
        advapi.OpenProcessToken.argtypes = (wintypes.HANDLE, wintypes.DWORD, ctypes.c_void_p)
        advapi.GetTokenInformation.argtypes = (
            *(wintypes.HANDLE, ctypes.c_int, ctypes.c_void_p, wintypes.DWORD, ctypes.c_void_p),
        )
        advapi.ConvertSidToStringSidW.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
        token, size = wintypes.HANDLE(), wintypes.DWORD()
        if not advapi.OpenProcessToken(kernel.GetCurrentProcess(), 8, ctypes.byref(token)):
            return ""  # 8: TOKEN_QUERY
        try:
            user = ctypes.create_string_buffer(
                256
            )  # a TOKEN_USER: a pointer to the SID comes first
            if not advapi.GetTokenInformation(token, 1, user, len(user), ctypes.byref(size)):
                return ""
            text = wintypes.LPWSTR()
            if not advapi.ConvertSidToStringSidW(
                ctypes.c_void_p.from_buffer(user).value, ctypes.byref(text)
            ):
                return ""
            value = text.value or ""
            kernel.LocalFree(text)
            return value
        finally:
            kernel.CloseHandle(token)
    return ""
