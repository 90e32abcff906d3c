//! Names for the kernel's numbers: users, services, devices, hosts, cgroups. Each is looked up once.

pub(crate) mod cgroups;
mod devices;
mod hosts;
mod services;
mod users;

pub(crate) use cgroups::{Cgroups, cgroup_id};
pub(crate) use devices::{Interfaces, device_index, device_indexes};
pub(crate) use hosts::{HostNames, Hosts, host_addresses};
pub(crate) use services::Services;
pub(crate) use users::{Users, user_id};
