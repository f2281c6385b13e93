using Concertina.Compute.Engine;
using Concertina.Compute.Engine.Spill;
using Concertina.Compute.Store;
using Concertina.Engine.Tests.Kit;

namespace Concertina.Engine.Tests.Spill;

/// <summary>Whatever happened to a page file, the session goes on with the right tokens: from the file, or computed anew.</summary>
public sealed class PageFaultTests : IDisposable
{
    private const string Key = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    private readonly PageFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("")]
    [InlineData(Key)]
    public async Task Flipped_bits_anywhere(string key)
    {
        int[] tokens = await SpillOne("s", seed: 1, key);
        byte[] whole = await File.ReadAllBytesAsync(_folder.FileOf("tenant/s"), TestContext.Current.CancellationToken);
        Random random = new(3);
        for (int round = 0; round < 60; round++)
        {
            byte[] damaged = [.. whole];
            damaged[random.Next(whole.Length)] ^= (byte)(1 << random.Next(8));
            await Damage("tenant/s", damaged);
            await AssertComputedAnew(tokens, key: key);
        }
    }

    [Fact]
    public async Task Truncation_at_seeded_places()
    {
        int[] tokens = await SpillOne("s", seed: 1);
        byte[] whole = await File.ReadAllBytesAsync(_folder.FileOf("tenant/s"), TestContext.Current.CancellationToken);
        Random random = new(4);
        for (int round = 0; round < 30; round++)
        {
            await Damage("tenant/s", whole[..random.Next(whole.Length)]);
            await AssertComputedAnew(tokens);
        }
        await Damage("tenant/s", whole);
        Assert.Equal(tokens.Length - 1, await GoOn(tokens));
    }

    [Fact]
    public async Task Files_of_two_sessions_that_changed_places()
    {
        int[] first = await SpillOne("a", seed: 1);
        int[] second = await SpillOne("b", seed: 2);
        byte[] bytes = await File.ReadAllBytesAsync(_folder.FileOf("tenant/a"), TestContext.Current.CancellationToken);
        File.Copy(_folder.FileOf("tenant/b"), _folder.FileOf("tenant/a"), overwrite: true);
        await Damage("tenant/b", bytes);

        await AssertComputedAnew(first, session: "a", fault: SessionFileFault.Foreign);
        await AssertComputedAnew(second, session: "b", fault: SessionFileFault.Foreign);
    }

    [Fact]
    public async Task A_file_of_another_tenant()
    {
        int[] tokens = await SpillOne("s", seed: 1);
        Directory.CreateDirectory(Path.GetDirectoryName(_folder.FileOf("other/s"))!);
        File.Copy(_folder.FileOf("tenant/s"), _folder.FileOf("other/s"));

        await AssertComputedAnew(tokens, tenant: "other", fault: SessionFileFault.Foreign);
    }

    [Theory]
    [InlineData("other ladder", "model", 9, SessionFileFault.Formats)]
    [InlineData("formats", "other model", 9, SessionFileFault.Foreign)]
    [InlineData("formats", "model", 2, SessionFileFault.StaleEpoch)] // a newer owner wrote it
    public async Task A_file_of_another_ladder_model_or_owner(string formats, string model, long epoch, SessionFileFault fault)
    {
        int[] tokens = await SpillOne("s", seed: 1);
        await AssertComputedAnew(tokens, fault: fault, formats: formats, model: model, epoch: epoch);
    }

    [Fact]
    public async Task A_file_of_tokens_that_the_session_left()
    {
        int[] tokens = await SpillOne("s", seed: 1);
        int[] others = [.. tokens];
        others[5] = (others[5] + 1) % HashModel.VocabularySize;
        await AssertComputedAnew(others, fault: SessionFileFault.Superseded);
    }

    [Fact]
    public async Task A_disk_that_refuses_at_any_of_seeded_bytes()
    {
        Random random = new(6);
        for (int round = 0; round < 25; round++)
        {
            _folder.Faults.Clear();
            int dies = random.Next(60_000); // the file has about as many
            SessionPages pages = _folder.Open();
            pages.Store.Create = path => new FullDisk(path, dies);
            await using EngineBench bench = new(pages: pages);
            SequenceHandle handle = SpillTests.Kept(bench);
            bench.Finish(EngineBench.Submit(handle, bench.Spec(EngineBench.Prompt(200, seed: round), 10)));
            SpillTests.Spill(bench);

            bool written = _folder.AllFiles().Length == 1;
            Assert.Equal(written ? [] : [SessionFileFault.Io], _folder.Faults);
            int[] next = [.. handle.CopyTokens(), 1];
            TokenStream stream = EngineBench.Submit(handle, bench.Spec(next, 6));
            Assert.Equal(HashModel.Greedy(next, 6), bench.Finish(stream));
            Assert.Equal(written ? 209 : 0, stream.CachedTokens);
            Assert.Equal(0, bench.Engine.Desk!.Outgoing.UsedBytes);
            Array.ForEach(_folder.AllFiles(), File.Delete);
        }
    }

    [Fact]
    public async Task A_store_that_breaks()
    {
        SessionPages pages = _folder.Open();
        pages.Store.Create = _ => throw new InvalidOperationException("broken");
        await using EngineBench bench = new(pages: pages);
        SequenceHandle handle = SpillTests.Kept(bench);
        bench.Finish(EngineBench.Submit(handle, bench.Spec(EngineBench.Prompt(200, seed: 1), 10)));
        SpillTests.Spill(bench);

        Assert.Equal([SessionFileFault.Io], _folder.Faults);
        int[] next = [.. handle.CopyTokens(), 1];
        Assert.Equal(HashModel.Greedy(next, 6), bench.Finish(EngineBench.Submit(handle, bench.Spec(next, 6))));
    }

    private async Task AssertComputedAnew(
        int[] tokens, string session = "s", string tenant = "tenant", SessionFileFault? fault = null, string formats = "formats",
        string model = "model", long epoch = 9, string key = "")
    {
        _folder.Faults.Clear();
        Assert.Equal(0, await GoOn(tokens, session, tenant, formats, model, epoch, key));
        SessionFileFault told = Assert.Single(_folder.Faults);
        Assert.True(told == (fault ?? told) && told != SessionFileFault.Io, $"{told}");
    }

    /// <summary>A new process gets the session's next request. Returns the tokens it did not compute.</summary>
    private async Task<int> GoOn(
        int[] tokens, string session = "s", string tenant = "tenant", string formats = "formats", string model = "model", long epoch = 9,
        string key = "")
    {
        await using EngineBench bench = new(pages: _folder.Open(formats, model, key));
        SequenceHandle handle = SpillTests.Kept(bench, session, tenant, epoch);
        handle.RestoreTokens(tokens);
        int[] next = [.. tokens, 1, 2];
        TokenStream stream = EngineBench.Submit(handle, bench.Spec(next, 6));
        Assert.Equal(HashModel.Greedy(next, 6), bench.Finish(stream));
        return stream.CachedTokens;
    }

    private async Task<int[]> SpillOne(string session, int seed, string key = "")
    {
        await using EngineBench bench = new(pages: _folder.Open(key: key));
        SequenceHandle handle = SpillTests.Kept(bench, session);
        bench.Finish(EngineBench.Submit(handle, bench.Spec(EngineBench.Prompt(200, seed), 10)));
        SpillTests.Spill(bench);
        return handle.CopyTokens();
    }

    private Task Damage(string session, byte[] bytes) => File.WriteAllBytesAsync(_folder.FileOf(session), bytes, TestContext.Current.CancellationToken);

    /// <summary>A disk with room for so many bytes.</summary>
    private sealed class FullDisk(string path, long room) : FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0)
    {
        public override void Write(ReadOnlySpan<byte> buffer)
        {
            base.Write(buffer[..(int)Math.Min(buffer.Length, Math.Max(0, room - Position))]);
            if (Position >= room)
            {
                throw new IOException("No space left.");
            }
        }
    }
}
