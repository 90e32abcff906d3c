//! The memory that a socket's buffers take.

/// `SK_MEMINFO_*` of include/uapi/linux/sock_diag.h, all in bytes but `drops`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Allocated for received data.
    pub rmem_alloc: u32,
    /// The receive buffer's limit.
    pub rcvbuf: u32,
    /// Allocated for outgoing data.
    pub wmem_alloc: u32,
    /// The send buffer's limit.
    pub sndbuf: u32,
    /// Reserved for later use.
    pub fwd_alloc: u32,
    /// Queued for sending.
    pub wmem_queued: u32,
    /// For socket options.
    pub optmem: u32,
    /// Waiting while the socket is in use; `None` on kernels that do not report it.
    pub backlog: Option<u32>,
    /// Packets dropped; `None` on kernels that do not report it.
    pub drops: Option<u32>,
}
