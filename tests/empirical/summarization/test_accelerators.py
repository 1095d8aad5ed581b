"""Configurations of accelerate, and the machine they are for."""

import pytest

from empirical.summarization.accelerators import FSDP, check_accelerate, processes, quicker


def test_the_preset_for_fsdp_is_an_accelerate_configuration(tmp_path, monkeypatch):
    from accelerate.commands.config.config_args import load_config_from_file
    from accelerate.commands.launch import _validate_launch_command, launch_command_parser
    from accelerate.utils import FullyShardedDataParallelPlugin
    from accelerate.utils.launch import prepare_multi_gpu_env

    config = load_config_from_file(str(FSDP))
    assert config.mixed_precision == "bf16"
    assert processes(str(FSDP)) == (config.num_processes, True) == (8, True)
    with monkeypatch.context() as patch:
        command = ["--config_file", str(FSDP), "-m", "empirical.summarization.fit", "job.json"]
        arguments, _, _ = _validate_launch_command(launch_command_parser().parse_args(command))
        environment = prepare_multi_gpu_env(arguments)
        assert environment["ACCELERATE_USE_FSDP"] == "true"
        for name, value in environment.items():
            if name.startswith(("FSDP_", "ACCELERATE_")):
                patch.setenv(name, value)
        plugin = FullyShardedDataParallelPlugin()
    assert plugin.fsdp_version == 2
    assert plugin.reshard_after_forward is True
    assert plugin.activation_checkpointing is True
    assert plugin.cpu_ram_efficient_loading is True
    assert plugin.transformer_cls_names_to_wrap == ["LlamaDecoderLayer"]
    assert "SHARDED" in str(plugin.state_dict_type)
    (tmp_path / "wrong.yaml").write_text("compute: nowhere")
    with pytest.raises(ValueError, match="not a configuration of accelerate"):
        processes(str(tmp_path / "wrong.yaml"))


def test_our_accelerate_configuration_fits_the_host(monkeypatch):
    ours = str(FSDP)
    for gpus in (1, 4, 16):
        monkeypatch.setattr("torch.cuda.device_count", lambda gpus=gpus: gpus)
        assert processes(ours) == (gpus, True)
        check_accelerate(ours, gpus)


@pytest.mark.parametrize("machines", [1, 2])
def test_more_processes_than_gpus_are_refused(tmp_path, machines, monkeypatch):
    """On a CPU the configuration is read all the same."""
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)  # of no account for a configuration of the user's
    path = tmp_path / "own.yaml"
    count = 4 * machines
    path.write_text(f"distributed_type: MULTI_GPU\nnum_processes: {count}\nnum_machines: {machines}\n")
    assert processes(str(path)) == (count, False)
    check_accelerate(str(path), 4)
    check_accelerate(str(path), 0)
    with pytest.raises(ValueError, match=r"4 processes on this machine, which has 3 GPUs; set num_processes.*config`"):
        check_accelerate(str(path), 3)
    for broken in ("distributed_type: MULTI_GPU\nnum_processes: -1\n", "distributed_type: MULTI_GPU\n", "- 1"):
        path.write_text(broken)
        with pytest.raises(ValueError, match="not a configuration of accelerate"):
            check_accelerate(str(path), 0)
    with pytest.raises(ValueError, match=r"missing\.yaml.*accelerate config"):
        check_accelerate(str(tmp_path / "missing.yaml"), 0)


@pytest.mark.parametrize(
    ("device", "precisions", "parameters", "able", "said"),
    [
        ("cpu", ("float32", "float32"), 1.3e8, True, True),
        ("cpu", ("float32", "float32"), 1.3e8, False, False),
        ("cpu", ("float32", "float32"), 1e6, True, False),
        ("cpu", ("bfloat16", "float32"), 1.3e8, True, False),
        ("cuda", ("float32", "float32"), 1.3e8, True, False),
    ],
)
def test_bfloat16_is_offered_where_it_would_be_quicker(monkeypatch, device, precisions, parameters, able, said):
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: {"avx2": True, "amx_bf16": able, "cpu_name": "any"})
    assert ("precision" in quicker(device, precisions, parameters)) == said
