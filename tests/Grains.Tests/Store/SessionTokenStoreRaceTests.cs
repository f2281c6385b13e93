using System.Collections.Concurrent;
using Concertina.Compute.Store;
using Microsoft.Extensions.Time.Testing;

namespace Concertina.Grains.Tests.Store;

public sealed class SessionTokenStoreRaceTests : IDisposable
{
    private const int QuotaBytes = 1 << 20;
    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Under_quota_pressure_no_save_fails_and_the_count_of_bytes_stays_true(int seed)
    {
        // Given a quota that a third of the sessions fills, so that somebody is always being put out
        SessionTokenStore store = Open(_time);
        ConcurrentBag<SessionSave> saves = [];

        // When eight threads save, remove and sweep the same sessions
        await Task.WhenAll(Enumerable.Range(0, 8).Select(thread => Task.Run(() => Work(store, new Random((seed * 100) + thread), saves))));

        // Then every save succeeded, and the counter is what lies on the disk
        Assert.All(saves, save => Assert.Equal((SessionFileFault.None, ""), (save.Fault, save.Detail)));
        Assert.Equal(DiskBytes(), store.UsedBytes);
        Assert.InRange(store.UsedBytes, 0, QuotaBytes);
    }

    [Fact]
    public void Bytes_written_by_a_save_that_then_fails_are_counted()
    {
        SessionTokenStore store = Open(new BrokenClock());

        Assert.Equal(SessionFileFault.Io, store.Save(Owner(0), new int[1000]).Fault);

        Assert.InRange(store.UsedBytes, 4000, QuotaBytes);
        Assert.Equal(DiskBytes(), store.UsedBytes);
    }

    [Fact]
    public void Files_that_somebody_else_removed_are_noticed_when_the_quota_is_reached()
    {
        SessionTokenStore store = Open(_time);
        for (int session = 0; session < 4; session++)
        {
            Assert.Equal(SessionFileFault.None, store.Save(Owner(session), new int[60_000]).Fault);
            _time.Advance(TimeSpan.FromSeconds(1));
        }
        foreach (int session in new[] { 0, 1 })
        {
            File.Delete(PathOf(session));
        }

        Assert.Equal(SessionFileFault.None, store.Save(Owner(4), new int[60_000]).Fault);

        // Three files remain, far below the quota: nobody had to go
        Assert.Equal(DiskBytes(), store.UsedBytes);
        Assert.Equal(SessionFileFault.None, store.Load(Owner(2)).Fault);
    }

    private static void Work(SessionTokenStore store, Random random, ConcurrentBag<SessionSave> saves)
    {
        int[] tokens = new int[30_000];
        for (int step = 0; step < 40; step++)
        {
            int session = random.Next(24);
            switch (random.Next(8))
            {
                case 0:
                    store.Delete(Owner(session).Key);
                    break;
                case 1:
                    Assert.Empty(store.Expired());
                    break;
                case 2:
                    Assert.Contains(store.Load(Owner(session)).Fault, new[] { SessionFileFault.None, SessionFileFault.Missing });
                    break;
                default:
                    saves.Add(store.Save(Owner(session), tokens.AsSpan(0, random.Next(1, tokens.Length))));
                    break;
            }
        }
    }

    private static SessionIdentity Owner(int session) => new($"tenant/{session}", "tenant", "model", 1);

    private string PathOf(int session) => Path.Combine(_folder.Path, "sessions", SessionTokenStore.FileName(Owner(session).Key));

    private long DiskBytes() =>
        Directory.EnumerateFiles(_folder.Path, "*", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length);

    private SessionTokenStore Open(TimeProvider time) =>
        new(new StoreOptions { Directory = _folder.Path, QuotaBytes = QuotaBytes }, time);

    // Fails after the tokens were written, when the file's time is set.
    private sealed class BrokenClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => throw new IOException("no clock");
    }
}
