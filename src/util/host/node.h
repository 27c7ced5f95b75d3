/*
 * util/host/node.h - which processors are near a device
 *
 * Layer: src/util.  Threads: no state.
 * Source: kernel documentation, ABI/stable/sysfs-devices-node and
 * ABI/testing/sysfs-bus-pci (numa_node).
 */
#ifndef MIH_UTIL_HOST_NODE_H
#define MIH_UTIL_HOST_NODE_H

#include <sched.h>
#include <stdbool.h>

/**
 * mih_node_cpus() - the processors of the NUMA node that a PCI device is on
 * @sys:      where sysfs is; NULL: "/sys"
 * @pci:      "0000:3b:00.0", lower case
 * @cpus_out: set on success
 *
 * Return: false where there is but one node, or the system does not say.
 */
bool mih_node_cpus(const char *sys, const char *pci, cpu_set_t *cpus_out);

/**
 * mih_node_stay() - keep the calling thread on those of @cpus that it may use
 *
 * What it touches first lies in the memory of their node then. Return: false,
 * and nothing is changed, where it may use none of them.
 */
bool mih_node_stay(const cpu_set_t *cpus);

#endif
