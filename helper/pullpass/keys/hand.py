"""What people do to a key by hand, each as one change that is there whole or not at all."""

from pullpass.errors import KeyStoreError
from pullpass.http import Flow
from pullpass.keys import rotation
from pullpass.keys.source import Keys
from pullpass.keys.transit import State, TransitKey, Version


def rotate(keys: Keys, name: str, *, emergency: bool) -> Flow[TransitKey]:
    """Returns the key name with a version made that signs next, in an emergency at once.

    Raises:
        KeyStoreError: if one is made already, and this is no emergency, or it cannot be kept.
    """
    static = keys.settings[name].static

    def edit(key: TransitKey, made: Version | None) -> TransitKey:
        now = keys.now()
        if made is None and not emergency and key.upcoming:
            raise KeyStoreError(
                f"key {name}: version {key.upcoming.number} is to sign next already: wait for it,"
                " or use --emergency"
            )
        if made is not None:
            key = rotation.add(key, made, static=static, now=now)
        return rotation.activate(key, now) if emergency else key

    return keys.change(name, edit, lambda key: key.upcoming is None)


def retire(keys: Keys, name: str, number: int) -> Flow[TransitKey]:
    """Returns the key name without that version in its JWKS.

    Raises:
        KeyStoreError: if something that it signed may be alive, or there is none to retire.
    """
    settings = keys.settings[name]
    return keys.change(name, lambda key, _: rotation.retire(key, number, settings, keys.now()))


def compromise(keys: Keys, name: str, number: int) -> Flow[TransitKey]:
    """Returns the key name with that version out of all use. Where it signed, another does now.

    Raises:
        KeyStoreError: if there is none of that number, or another cannot be had.
    """

    def wants(key: TransitKey) -> bool:
        return rotation.find(key, number).state is State.ACTIVE and key.upcoming is None

    def edit(key: TransitKey, made: Version | None) -> TransitKey:
        return rotation.compromise(key, number, made, keys.now())

    return keys.change(name, edit, wants)
