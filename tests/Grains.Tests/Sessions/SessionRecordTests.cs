using Concertina.Compute.Store;
using Concertina.Grains.Sessions;
using Concertina.Grains.Tests.Fakes;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Concertina.Grains.Tests.Sessions;

public sealed class SessionRecordTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FakeStateStore<SequenceState> _states = new();
    private readonly SessionTokenStore _store;

    public SessionRecordTests() => _store = new SessionTokenStore(new StoreOptions { Directory = _folder.Path }, new FakeTimeProvider(DateTimeOffset.UnixEpoch));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Each_owner_has_a_higher_epoch_and_keeps_it()
    {
        SessionRecord first = Open();
        await first.Save(Save(1));
        await first.Save(Save(1, 2));
        Assert.Equal(1, first.State.Epoch);

        SessionRecord second = Open();
        Assert.Equal((int[])[1, 2], await second.Load("model"));
        await second.Save(Save(1, 2, 3));
        Assert.Equal(2, second.State.Epoch);
        Assert.Equal(3, second.State.TokenCount);
    }

    [Fact]
    public async Task An_owner_that_was_overtaken_learns_it_and_leaves_the_newer_tokens_alone()
    {
        SessionRecord old = Open();
        await old.Save(Save(1));
        SessionRecord young = Open();
        await young.Save(Save(1, 2));

        Assert.False(await old.Save(Save(9, 9, 9)));

        Assert.Equal((int[])[1, 2], await Open().Load("model"));
    }

    [Fact]
    public async Task When_the_state_cannot_be_written_the_file_is_not_touched()
    {
        SessionRecord record = Open();
        await record.Save(Save(1));
        _states.Fails = true;

        Assert.True(await record.Save(Save(1, 2)));

        Assert.Equal(1, record.State.TokenCount);
        Assert.Equal((int[])[1], await record.Load("model"));
    }

    [Fact]
    public async Task A_crash_between_state_and_file_leaves_the_earlier_tokens()
    {
        SessionRecord record = Open();
        await record.Save(Save(1));
        _states.Value = _states.Value! with { Epoch = 5, TokenCount = 7 };
        Assert.Equal((int[])[1], await Open().Load("model"));
    }

    [Fact]
    public async Task Another_model_gives_no_tokens()
    {
        await Open().Save(Save(1));
        Assert.Empty(await Open().Load("other-model"));
    }

    private static SessionSaveRequest Save(params int[] tokens) => new(tokens, "local/0", "model", tokens.Length, 0) { Rung = "f16" };

    private SessionRecord Open() => new("t/s", _states.Open(), _store, NullLogger.Instance);
}
