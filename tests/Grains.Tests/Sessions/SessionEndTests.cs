using Concertina.Compute.KvCache;
using Concertina.Contracts.Sessions;
using Concertina.Grains.Tests.Fakes;

namespace Concertina.Grains.Tests.Sessions;

public sealed class SessionEndTests : IAsyncLifetime
{
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(30);
    private TestSilo _silo = null!;

    public async ValueTask InitializeAsync() => _silo = await TestSilo.Start();

    public ValueTask DisposeAsync() => _silo.DisposeAsync();

    [Fact]
    public async Task An_ephemeral_sequence_gives_its_units_back_and_leaves_no_state()
    {
        ISequenceGrain sequence = _silo.Session("t/~1");
        await using (Stream stream = new(sequence, Stream.Request("r", 1, 2)))
        {
            Task<AdmissionFacts> admission = stream.Admission();
            FakeGeneration generation = await _silo.Submitted();
            generation.Send(3);
            generation.Complete();
            await admission;
            await stream.Finish();
        }
        Assert.Empty(_silo.Engine.OpenHandles);
        Assert.Equal(0, _silo.Store.UsedBytes);
        Assert.False((await sequence.Status()).Exists);
    }

    [Fact]
    public async Task Delete_frees_everything_also_under_a_running_generation()
    {
        await _silo.Turn("one", [1, 2], [3]);
        await using Stream stream = new(_silo.Session(), Stream.Request("two", 1, 2, 3, 4));
        Task<AdmissionFacts> admission = stream.Admission();
        FakeGeneration generation = await _silo.Submitted();
        generation.Send(5);
        await admission;

        await _silo.Session().Delete();

        Assert.Empty(_silo.Engine.OpenHandles);
        Assert.Equal(0, _silo.Store.UsedBytes);
        Assert.Equal(FinishReason.Cancelled, (await stream.Finish()).Reason);
        Assert.Equal(0, _silo.Store.UsedBytes);
        SessionStatus status = await _silo.Session().Status();
        Assert.Equal((false, false, 0), (status.Exists, status.Busy, status.TokenCount));
        await _silo.Restart();
        Assert.False((await _silo.Session().Status()).Exists);
    }

    [Fact]
    public async Task A_session_outlives_the_process_and_its_tokens_are_restored()
    {
        await _silo.Turn("one", [1, 2, 3], [4, 5]);
        await _silo.Turn("two", [1, 2, 3, 4, 5, 6], [7]);

        await _silo.Restart();

        SessionStatus status = await _silo.Session().Status();
        Assert.Equal((true, 7, 0), (status.Exists, status.TokenCount, status.WarmTokens));
        Assert.Equal([1, 2, 3, 4, 5, 6, 7], _silo.Engine.TheHandle.Restored);
        await _silo.Turn("three", [1, 2, 3, 4, 5, 6, 7, 8], [9]);
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8, 9], _silo.Engine.TheHandle.CopyTokens());
    }

    [Fact]
    public async Task The_engine_knows_the_epoch_of_a_sessions_files_and_spills_it_when_its_activation_ends()
    {
        await _silo.Turn("one", [1, 2, 3], [4, 5]);
        FakeHandle handle = _silo.Engine.TheHandle;
        Assert.Equal([null, 1], handle.Kept); // no files before the first turn ended
        Assert.Equal(0, handle.Spills);

        await _silo.Restart();

        Assert.Equal(1, handle.Spills);
        await _silo.Session().Status();
        await _silo.Turn("two", [1, 2, 3, 4, 5, 6], [7]);
        Assert.Equal([1, 2], _silo.Engine.TheHandle.Kept); // read as the last owner, written as the next
    }

    [Fact]
    public async Task A_deleted_session_is_not_spilled_and_its_page_file_goes()
    {
        await _silo.Turn("one", [1, 2, 3], [4, 5]);
        FakeHandle handle = _silo.Engine.TheHandle;
        string pages = Path.ChangeExtension(Assert.Single(Directory.GetFiles(_silo.Folder, "*.tokens", SearchOption.AllDirectories)), ".pages");
        await File.WriteAllBytesAsync(pages, [1, 2, 3], TestContext.Current.CancellationToken);

        await _silo.Session().Delete();

        Assert.Equal(0, handle.Spills);
        Assert.False(File.Exists(pages));
    }

    [Fact]
    public async Task A_damaged_file_costs_a_prefill_and_nothing_else()
    {
        await _silo.Turn("one", [1, 2, 3], [4, 5]);
        string file = Assert.Single(Directory.EnumerateFiles(_silo.Folder, "*.tokens", SearchOption.AllDirectories));
        byte[] bytes = await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken);
        bytes[^5] ^= 1;
        await File.WriteAllBytesAsync(file, bytes, TestContext.Current.CancellationToken);

        await _silo.Restart();

        Assert.Equal(0, (await _silo.Session().Status()).WarmTokens);
        await _silo.Turn("two", [1, 2, 3, 4, 5, 6], [7]);
        await _silo.Restart();
        Assert.Equal(7, (await _silo.Session().Status()).TokenCount);
    }

    [Fact]
    public async Task Another_salt_moves_the_sequence_to_another_prefix_scope_and_keeps_its_tokens()
    {
        await _silo.Turn("one", [1, 2], [3]);
        PrefixScope before = _silo.Engine.TheHandle.Identity.Scope;
        await using Stream stream = new(_silo.Session(), Stream.Request("two", 1, 2, 3, 4) with { CacheSalt = "salt" });
        Task<AdmissionFacts> admission = stream.Admission();
        (await _silo.Submitted()).Send(5);
        await admission;

        Assert.NotEqual(before, _silo.Engine.TheHandle.Identity.Scope);
        Assert.Equal([1, 2, 3], _silo.Engine.TheHandle.Restored);
    }
}
