# SPDX-License-Identifier: Apache-2.0
"""What the tests that speak HTTP share: a cluster, a daemon, a client that holds every reply against the contract."""
