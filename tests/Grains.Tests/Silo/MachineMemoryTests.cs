using Concertina.Silo.Memory;

namespace Concertina.Grains.Tests.Silo;

public sealed class MachineMemoryTests : IDisposable
{
    private const long GiB = 1L << 30;
    private readonly TemporaryFolder _root = new();

    public MachineMemoryTests() => Write("proc/meminfo", $"MemTotal: {32 * GiB >> 10} kB\nMemAvailable: {20 * GiB >> 10} kB\n");

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Without_a_container_the_machines_available_memory_counts() =>
        Assert.Equal(20 * GiB, MachineMemory.AvailableBytes(_root.Path));

    [Fact]
    public void The_limit_of_a_version_2_group_counts_with_droppable_file_pages()
    {
        Write("proc/self/cgroup", "0::/\n");
        Write("sys/fs/cgroup/memory.max", $"{4 * GiB}\n");
        Write("sys/fs/cgroup/memory.current", $"{3 * GiB}\n");
        Write("sys/fs/cgroup/memory.stat", $"anon 5\ninactive_file {GiB}\n");
        Assert.Equal(2 * GiB, MachineMemory.AvailableBytes(_root.Path));
    }

    [Fact]
    public void The_tightest_group_on_the_way_to_the_root_counts()
    {
        Write("proc/self/cgroup", "0::/pod/container\n");
        Write("sys/fs/cgroup/pod/memory.max", $"{GiB}\n");
        Write("sys/fs/cgroup/pod/memory.current", "0\n");
        Write("sys/fs/cgroup/pod/container/memory.max", "max\n");
        Write("sys/fs/cgroup/pod/container/memory.current", "0\n");
        Assert.Equal(GiB, MachineMemory.AvailableBytes(_root.Path));
    }

    [Fact]
    public void The_limit_of_a_version_1_group_counts()
    {
        Write("proc/self/cgroup", "7:cpu,cpuacct:/x\n4:memory:/box\n");
        Write("sys/fs/cgroup/memory/box/memory.limit_in_bytes", $"{2 * GiB}\n");
        Write("sys/fs/cgroup/memory/box/memory.usage_in_bytes", $"{GiB}\n");
        Assert.Equal(GiB, MachineMemory.AvailableBytes(_root.Path));
    }

    [Theory]
    [InlineData("max", null)]
    [InlineData("1073741824", GiB)]
    public void The_limit_alone_is_that_of_the_tightest_group_or_none(string own, long? expected)
    {
        Write("proc/self/cgroup", "0::/pod/container\n");
        Write("sys/fs/cgroup/pod/memory.max", own + "\n");
        Write("sys/fs/cgroup/pod/container/memory.max", "max\n");
        Assert.Equal(expected, MachineMemory.LimitBytes(_root.Path));
    }

    [Theory]
    [InlineData(9223372036854771712, null)] // how version 1 says that there is none
    [InlineData(2 * GiB, 2 * GiB)]
    public void The_limit_alone_of_a_version_1_group(long written, long? expected)
    {
        Write("proc/self/cgroup", "4:memory:/box\n");
        Write("sys/fs/cgroup/memory/box/memory.limit_in_bytes", $"{written}\n");
        Assert.Equal(expected, MachineMemory.LimitBytes(_root.Path));
    }

    [Fact]
    public void A_group_over_its_limit_has_nothing_left()
    {
        Write("proc/self/cgroup", "0::/\n");
        Write("sys/fs/cgroup/memory.max", "100\n");
        Write("sys/fs/cgroup/memory.current", "200\n");
        Assert.Equal(0, MachineMemory.AvailableBytes(_root.Path));
    }

    private void Write(string file, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_root.File(file))!);
        File.WriteAllText(_root.File(file), text);
    }
}
