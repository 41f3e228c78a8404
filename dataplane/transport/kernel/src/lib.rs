//! Kernel sockets by epoll or io_uring.
