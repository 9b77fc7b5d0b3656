"""Who runs us on Windows, asked of the system itself: no process, no localized text.

Elsewhere nobody: an empty SID, not elevated.
"""

from __future__ import annotations

import sys
from typing import Any


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


def network_drives() -> tuple[str, ...]:
    """Return the drives, such as ``Z:``, that stand for folders of other machines."""
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415 - Windows only

        kernel = ctypes.windll.kernel32
        letters = (f"{letter}:" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        remote = 4  # DRIVE_REMOTE
        return tuple(drive for drive in letters if kernel.GetDriveTypeW(f"{drive}\\") == remote)
    return ()


def longest_path() -> int:
    """Return how many characters a file's path may have: 259, or all that NTFS knows where the registry allows it."""
    if sys.platform == "win32":
        import winreg  # noqa: PLC0415 - Windows only

        place = r"SYSTEM\CurrentControlSet\Control\FileSystem"
        try:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, place) as key:
                if winreg.QueryValueEx(key, "LongPathsEnabled")[0]:
                    return 32_766
        except OSError:
            pass
    return 259


def logged_on_sid() -> str:
    """Return the SID of the account whose log-on session this process runs in; empty where the system does not tell.

    Another one than :func:`sid` means that somebody typed another account's password, as to get an administrator's rights.
    """
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415 - Windows only
        from ctypes import wintypes  # noqa: PLC0415 - Windows only

        try:
            advapi, wts = ctypes.windll.advapi32, ctypes.windll.wtsapi32
        except OSError:
            return ""
        name = "\\".join(filter(None, (_of_session(wts, 7), _of_session(wts, 5))))
        known, size, length = (
            ctypes.create_string_buffer(256),
            wintypes.DWORD(256),
            wintypes.DWORD(256),
        )
        domain, kind = ctypes.create_unicode_buffer(256), wintypes.DWORD()
        if not name or not advapi.LookupAccountNameW(
            None,
            name,
            known,
            ctypes.byref(size),
            domain,
            ctypes.byref(length),
            ctypes.byref(kind),
        ):
            return ""
        return _sid_text(ctypes.addressof(known))
    return ""


def _of_session(wts: Any, what: int) -> str:
    """Return a fact of this log-on session: 5 is WTSUserName, 7 WTSDomainName."""
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415 - Windows only
        from ctypes import wintypes  # noqa: PLC0415 - Windows only

        text, size = wintypes.LPWSTR(), wintypes.DWORD()
        current = wintypes.DWORD(0xFFFFFFFF)
        if not wts.WTSQuerySessionInformationW(
            None, current, what, ctypes.byref(text), ctypes.byref(size)
        ):
            return ""
        value = text.value or ""
        wts.WTSFreeMemory(text)
        return value
    return ""


def _sid_text(pointer: int | None) -> str:
    """Return the SID at *pointer* as text, empty where there is none."""
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415 - Windows only
        from ctypes import wintypes  # noqa: PLC0415 - Windows only

        advapi, kernel = ctypes.windll.advapi32, ctypes.windll.kernel32
        kernel.LocalFree.argtypes = (ctypes.c_void_p,)
        advapi.ConvertSidToStringSidW.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
        text = wintypes.LPWSTR()
        if not pointer or not advapi.ConvertSidToStringSidW(pointer, ctypes.byref(text)):
            return ""
        value = text.value or ""
        kernel.LocalFree(text)
        return value
    return ""


def sid() -> str:
    """Return the account's security identifier, or an empty text where the system does not tell."""
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415 - Windows only
        from ctypes import wintypes  # noqa: PLC0415 - Windows only

        advapi, kernel = ctypes.windll.advapi32, ctypes.windll.kernel32
        kernel.GetCurrentProcess.restype = wintypes.HANDLE
        kernel.CloseHandle.argtypes = (wintypes.HANDLE,)
        advapi.OpenProcessToken.argtypes = (wintypes.HANDLE, wintypes.DWORD, ctypes.c_void_p)
        advapi.GetTokenInformation.argtypes = (
            *(wintypes.HANDLE, ctypes.c_int, ctypes.c_void_p, wintypes.DWORD, ctypes.c_void_p),
        )
        token, size = wintypes.HANDLE(), wintypes.DWORD()
        if not advapi.OpenProcessToken(kernel.GetCurrentProcess(), 8, ctypes.byref(token)):
            return ""  # 8: TOKEN_QUERY
        try:
            user = ctypes.create_string_buffer(
                256
            )  # a TOKEN_USER: a pointer to the SID comes first
            if not advapi.GetTokenInformation(token, 1, user, len(user), ctypes.byref(size)):
                return ""
            return _sid_text(ctypes.c_void_p.from_buffer(user).value)
        finally:
            kernel.CloseHandle(token)
    return ""
