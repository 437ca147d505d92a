"""The data folder: one holder at a time, secrets that stay, and nothing left when it is emptied."""

import base64
import stat
from pathlib import Path

import pytest

from relink.data_folder import DataFolder, FolderInUse, Keyring


def test_a_password_is_made_once_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "keyring.json"
    made = Keyring(path).password("relink_registry")
    assert Keyring(path).password("relink_registry") == made
    assert Keyring(path).password("relink_referral") != made


def test_a_key_has_32_bytes(tmp_path: Path) -> None:
    assert len(base64.b64decode(Keyring(tmp_path / "keyring.json").key("relink_referral"))) == 32


def test_only_its_owner_reads_the_keyring_and_the_log(tmp_path: Path) -> None:
    with DataFolder(tmp_path).hold() as folder, folder.open_log():
        folder.keyring.password("postgres")
    for name in ("keyring.json", "relink.log", "lock"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_a_held_folder_is_neither_held_again_nor_emptied(tmp_path: Path) -> None:
    with DataFolder(tmp_path).hold():
        with pytest.raises(FolderInUse), DataFolder(tmp_path).hold():
            pass
        with pytest.raises(FolderInUse):
            DataFolder(tmp_path).empty()
    DataFolder(tmp_path).empty()
    assert not tmp_path.exists()


def test_emptying_what_is_not_there_is_no_error(tmp_path: Path) -> None:
    DataFolder(tmp_path / "none").empty()
