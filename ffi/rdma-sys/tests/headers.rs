//! The structures that this crate declares are those of rdma-core's headers: a C program asks the
//! headers of this host, where they are installed (librdmacm-dev; `scripts/test` installs it, so that
//! CI compares).

use std::io::Write;
use std::mem::offset_of;
use std::path::Path;
use std::process::Command;

use precursor_rdma_sys::*;

#[test]
fn structures_are_as_the_headers_have_them() {
    if !Path::new("/usr/include/rdma/rdma_cma.h").exists() {
        // Past the test harness, which shows only what failing tests print.
        let mut errors = std::io::stderr();
        writeln!(
            errors,
            "not compared: this host has no headers of librdmacm (librdmacm-dev)"
        )
        .ok();
        return;
    }
    let facts = [
        (
            "offsetof(struct ibv_context, ops.alloc_mw)",
            offset_of!(Context, alloc_mw),
        ),
        (
            "offsetof(struct ibv_context, ops.dealloc_mw)",
            offset_of!(Context, dealloc_mw),
        ),
        ("sizeof(struct ibv_mw)", size_of::<MemoryWindow>()),
        (
            "offsetof(struct ibv_mw, rkey)",
            offset_of!(MemoryWindow, rkey),
        ),
        (
            "offsetof(struct ibv_send_wr, bind_mw.mw)",
            offset_of!(SendRequest, bind.window),
        ),
        (
            "offsetof(struct ibv_send_wr, bind_mw.rkey)",
            offset_of!(SendRequest, bind.key),
        ),
        (
            "offsetof(struct ibv_send_wr, bind_mw.bind_info.mr)",
            offset_of!(SendRequest, bind.region),
        ),
        (
            "offsetof(struct ibv_send_wr, bind_mw.bind_info.mw_access_flags)",
            offset_of!(SendRequest, bind.access),
        ),
        (
            "offsetof(struct ibv_device_attr, device_cap_flags)",
            offset_of!(DeviceAttributes, capabilities),
        ),
        (
            "offsetof(struct ibv_device_attr, max_qp_rd_atom)",
            offset_of!(DeviceAttributes, reads_answered_max),
        ),
        (
            "offsetof(struct ibv_device_attr, max_qp_init_rd_atom)",
            offset_of!(DeviceAttributes, reads_asked_max),
        ),
        (
            "offsetof(struct ibv_device_attr, max_mw)",
            offset_of!(DeviceAttributes, windows_max),
        ),
        ("IBV_WR_BIND_MW", WR_BIND_WINDOW as usize),
        ("IBV_WR_LOCAL_INV", WR_LOCAL_INVALIDATE as usize),
        ("IBV_ACCESS_MW_BIND", ACCESS_WINDOW_BIND as usize),
        ("IBV_MW_TYPE_2", WINDOW_TYPE_2 as usize),
        ("IBV_DEVICE_MEM_WINDOW_TYPE_2B", DEVICE_WINDOW_2B as usize),
        (
            "offsetof(struct ibv_context, ops.poll_cq)",
            offset_of!(Context, poll_cq),
        ),
        (
            "offsetof(struct ibv_context, ops.req_notify_cq)",
            offset_of!(Context, req_notify_cq),
        ),
        (
            "offsetof(struct ibv_context, ops.post_srq_recv)",
            offset_of!(Context, post_srq_recv),
        ),
        (
            "offsetof(struct ibv_context, ops.post_send)",
            offset_of!(Context, post_send),
        ),
        (
            "offsetof(struct ibv_context, ops.post_recv)",
            offset_of!(Context, post_recv),
        ),
        (
            "offsetof(struct ibv_mr, lkey)",
            offset_of!(MemoryRegion, lkey),
        ),
        (
            "offsetof(struct ibv_mr, rkey)",
            offset_of!(MemoryRegion, rkey),
        ),
        (
            "offsetof(struct ibv_comp_channel, fd)",
            offset_of!(CompletionChannel, fd),
        ),
        (
            "sizeof(struct ibv_srq_init_attr)",
            size_of::<SharedReceiveQueueOptions>(),
        ),
        (
            "offsetof(struct ibv_srq_init_attr, attr.max_wr)",
            offset_of!(SharedReceiveQueueOptions, requests_max),
        ),
        (
            "offsetof(struct ibv_qp, qp_num)",
            offset_of!(QueuePair, number),
        ),
        (
            "sizeof(struct ibv_qp_init_attr)",
            size_of::<QueuePairOptions>(),
        ),
        (
            "offsetof(struct ibv_qp_init_attr, qp_type)",
            offset_of!(QueuePairOptions, kind),
        ),
        (
            "offsetof(struct ibv_qp_init_attr, cap.max_recv_sge)",
            offset_of!(QueuePairOptions, receive_slices_max),
        ),
        ("sizeof(struct ibv_sge)", size_of::<Slice>()),
        ("sizeof(struct ibv_recv_wr)", size_of::<ReceiveRequest>()),
        ("sizeof(struct ibv_send_wr)", size_of::<SendRequest>()),
        (
            "offsetof(struct ibv_send_wr, imm_data)",
            offset_of!(SendRequest, immediate),
        ),
        (
            "offsetof(struct ibv_send_wr, wr.rdma.remote_addr)",
            offset_of!(SendRequest, remote_address),
        ),
        (
            "offsetof(struct ibv_send_wr, wr.rdma.rkey)",
            offset_of!(SendRequest, remote_key),
        ),
        ("sizeof(struct ibv_wc)", size_of::<WorkCompletion>()),
        (
            "offsetof(struct ibv_wc, imm_data)",
            offset_of!(WorkCompletion, immediate),
        ),
        (
            "offsetof(struct ibv_wc, qp_num)",
            offset_of!(WorkCompletion, queue_pair),
        ),
        (
            "offsetof(struct ibv_wc, wc_flags)",
            offset_of!(WorkCompletion, flags),
        ),
        (
            "sizeof(struct ibv_device_attr)",
            size_of::<DeviceAttributes>(),
        ),
        (
            "offsetof(struct ibv_device_attr, max_qp)",
            offset_of!(DeviceAttributes, queue_pairs_max),
        ),
        (
            "offsetof(struct ibv_device_attr, max_cqe)",
            offset_of!(DeviceAttributes, completions_max),
        ),
        (
            "offsetof(struct ibv_device_attr, max_srq_wr)",
            offset_of!(DeviceAttributes, shared_requests_max),
        ),
        (
            "offsetof(struct rdma_event_channel, fd)",
            offset_of!(EventChannel, fd),
        ),
        (
            "offsetof(struct rdma_cm_id, qp)",
            offset_of!(CmId, queue_pair),
        ),
        (
            "offsetof(struct rdma_cm_id, route.addr.src_storage)",
            offset_of!(CmId, source),
        ),
        (
            "offsetof(struct rdma_cm_id, route.addr.dst_storage)",
            offset_of!(CmId, destination),
        ),
        (
            "sizeof(struct rdma_conn_param)",
            size_of::<ConnectionParameters>(),
        ),
        (
            "offsetof(struct rdma_conn_param, qp_num)",
            offset_of!(ConnectionParameters, queue_pair),
        ),
        (
            "offsetof(struct rdma_cm_event, status)",
            offset_of!(CmEvent, status),
        ),
        (
            "offsetof(struct rdma_cm_event, param.conn)",
            offset_of!(CmEvent, connection),
        ),
        ("IBV_WR_SEND_WITH_IMM", WR_SEND_WITH_IMM as usize),
        ("IBV_WR_RDMA_READ", WR_RDMA_READ as usize),
        ("IBV_WC_REM_INV_REQ_ERR", WC_REMOTE_REQUEST as usize),
        ("IBV_WC_REM_ACCESS_ERR", WC_REMOTE_ACCESS as usize),
        ("IBV_ACCESS_REMOTE_READ", ACCESS_REMOTE_READ as usize),
        ("RDMA_CM_EVENT_DISCONNECTED", EVENT_DISCONNECTED as usize),
        ("RDMA_PS_TCP", PS_TCP as usize),
    ];
    let mut source = String::from(
        "#include <stddef.h>\n#include <stdio.h>\n#include <infiniband/verbs.h>\n\
         #include <rdma/rdma_cma.h>\nint main(void) {\n",
    );
    for (fact, _) in &facts {
        source.push_str(&format!("printf(\"%zu\\n\", (size_t){fact});\n"));
    }
    source.push_str("return 0; }\n");
    let folder = std::env::temp_dir().join(format!("rdma-headers-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (file, program) = (folder.join("facts.c"), folder.join("facts"));
    std::fs::write(&file, source).unwrap();
    let compiled = Command::new("cc")
        .arg(&file)
        .arg("-o")
        .arg(&program)
        .output()
        .unwrap();
    let told = Command::new(&program).output();
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(
        compiled.status.success(),
        "{}",
        String::from_utf8_lossy(&compiled.stderr)
    );
    let told = String::from_utf8(told.unwrap().stdout).unwrap();
    let told: Vec<usize> = told.lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(told.len(), facts.len());
    for ((fact, ours), theirs) in facts.iter().zip(told) {
        assert_eq!(*ours, theirs, "{fact}");
    }
}
