"""The image service between the kubelet and its container runtime."""
