"""A pull that outlasts the registry's token: the runtime gets another with the same credential."""

import asyncio
import os
from pathlib import Path
from typing import Final

from fakes.cri.node import Node, sockets
from fakes.helper import node as host
from fakes.helper import registry
from fakes.loop import in_a_loop, until
from fakes.programs import Containerd, client_home, containerd, skopeo, tiny_image
from fakes.registries import debian_registry, realm
from fakes.relay import Relay, relay

BIG: Final = 1 << 20  # bytes of a layer that does not shrink
LAYERS: Final = 6  # containerd fetches three at once
HELD_AT: Final = 1 << 17  # bytes of an answer: manifests are shorter, layers are not
LIFETIME: Final = 3  # seconds of a token


@in_a_loop
async def test_a_registry_token_that_ends_before_the_last_layer_begins_is_had_anew(
    tmp_path: Path,
) -> None:
    """With the same credential, which therefore has to live longer than the pull."""
    layers = [os.urandom(BIG) for _ in range(LAYERS)]
    image = tiny_image(tmp_path / "image", *layers)
    with (
        containerd() as runtime,
        realm(tmp_path, anybody=True, lifetime=LIFETIME) as tokens,
        debian_registry(tmp_path / "registry", tokens) as address,
    ):
        push(image, f"{address}/team/layers:v1", client_home(tmp_path / "home"))
        async with relay(address, HELD_AT) as mirror:
            made = node_of(tmp_path / "node", runtime, address, mirror)
            async with made.up() as client:
                pull = client.pull(f"{address}/team/layers:v1")
                await until(lambda: mirror.held)
                await asyncio.sleep(LIFETIME + 1)  # the life of the token
                tokens.asked.clear()
                mirror.open.set()
                await pull

    assert len(set(tokens.asked)) == 1  # asked again, and shown the one that it had before


def node_of(place: Path, runtime: Containerd, address: str, mirror: Relay) -> Node:
    """Returns a node whose identities are the passwords of the registry at address."""
    origin = f"http://{mirror.address}"
    runtime.mirror(address, origin)
    options = f'insecure = true\ncri = {{ server_address = "{origin}" }}'
    made = host(place, registry(address, options))
    made.config.write_text(made.config.read_text() + sockets(runtime, "in-process"))
    return Node(runtime=runtime, variables={"PULLPASS_CONFIG": str(made.config)})


def push(image: Path, reference: str, home: Path) -> None:
    """Pushes the OCI layout image as anybody."""
    done = skopeo(home, "copy", "--dest-creds=a:b", f"oci:{image}", f"docker://{reference}")
    assert done.returncode == 0, done.stderr
