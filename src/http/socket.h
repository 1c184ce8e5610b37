/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What is asked of sockets beyond the library's back. */
#include <stdbool.h>
#include <stdint.h>

/* A listening socket, IPv4 or IPv6 (`::` takes both); -1 with errno. */
int socket_listen(const char *address, int port, bool reuse_port, int *ret_port);
/* A descriptor of one's own of a socket that listens already; -1 with errno when it does not. */
int socket_inherit(int fd, int *ret_port);
/* Whether the peer has sent anything at all on this connection. */
bool socket_has_received(int fd);
/* How many bytes of ours the peer has confirmed on this connection. */
uint64_t socket_bytes_taken(int fd);
/* Whether there are bytes that nobody has read yet. */
bool socket_has_unread(int fd);
/* Whether the peer has closed or reset. */
bool socket_peer_left(int fd);
/* Whether the peer has ended its direction, whatever it sent before: over TLS its goodbye may lie unread. */
bool socket_peer_ended(int fd);
/* What is still unsent is thrown away when the socket is closed, and the peer sees a reset. */
void socket_reset_on_close(int fd);
