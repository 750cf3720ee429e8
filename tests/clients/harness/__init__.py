"""Installs the SDKs, starts the gateway and its upstream, runs the suites."""
