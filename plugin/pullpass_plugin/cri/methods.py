"""The methods of CRI, by the kind of their answer; any other passes as well, a little slower.

k8s.io/cri-api, pkg/apis/runtime/v1/api.proto of Kubernetes 1.36, and v1alpha2 of 1.25.
"""

from typing import Final

_VERSIONS: Final = ("runtime.v1", "runtime.v1alpha2")
_IMAGE: Final = ("ListImages", "ImageStatus", "PullImage", "RemoveImage", "ImageFsInfo")
_RUNTIME: Final = (
    *("Version", "Status", "RuntimeConfig", "UpdateRuntimeConfig"),
    *("RunPodSandbox", "StopPodSandbox", "RemovePodSandbox", "PodSandboxStatus"),
    *("ListPodSandbox", "PodSandboxStats", "ListPodSandboxStats", "UpdatePodSandboxResources"),
    *("CreateContainer", "StartContainer", "StopContainer", "RemoveContainer"),
    *("ListContainers", "ContainerStatus", "ContainerStats", "ListContainerStats"),
    *("UpdateContainerResources", "ReopenContainerLog", "CheckpointContainer"),
    *("ExecSync", "Exec", "Attach", "PortForward"),
    *("ListMetricDescriptors", "ListPodSandboxMetrics"),
)
PULLS: Final = tuple(f"/{version}.ImageService/PullImage" for version in _VERSIONS)
UNARY: Final = frozenset(
    {f"/{version}.ImageService/{name}" for version in _VERSIONS for name in _IMAGE}
    | {f"/{version}.RuntimeService/{name}" for version in _VERSIONS for name in _RUNTIME}
)
SERVER_STREAMS: Final = frozenset(
    {"/runtime.v1.ImageService/StreamImages", "/runtime.v1.RuntimeService/GetContainerEvents"}
)
