using System.Collections.Concurrent;
using Concertina.Contracts.Budget;
using Concertina.Contracts.Sessions;
using Concertina.Contracts.Tenants;
using Concertina.Contracts.Workers;
using Orleans;
using Orleans.Runtime;

namespace Concertina.Gateway.Tests.Kit;

/// <summary>Grains that do what a test says, behind the factory the gateway gets.</summary>
internal sealed class FakeCluster : IGrainFactory
{
    private readonly ConcurrentDictionary<string, FakeSequence> _sequences = new();
    private readonly ConcurrentDictionary<string, FakeTenant> _tenants = new();

    public FakeCluster() => Budget = new FakeBudget(this);

    /// <summary>What a generation does; by default it answers "Hello there, friend."</summary>
    public Script Script { get; set; } = Scripts.Say("Hello there, friend.");

    public FakeBudget Budget { get; }

    /// <summary>Every request that reached a sequence grain.</summary>
    public ConcurrentQueue<GenerateRequest> Requests { get; } = new();

    /// <summary>Request ids whose generation began.</summary>
    public Signals Started { get; } = new();

    /// <summary>Request ids whose stream was dropped or cancelled before its end.</summary>
    public Signals Cancelled { get; } = new();

    /// <summary>Usage by request id, once per settle call.</summary>
    public ConcurrentQueue<UsageRecord> Settled { get; } = new();

    public Signals SettledIds { get; } = new();

    /// <summary>Prompts seen so far by tenant and salt, as a prefix cache would hold them.</summary>
    public PromptMemory Memory { get; } = new();

    /// <summary>Null: the model still loads.</summary>
    public ModelFacts? Facts { get; set; } = new()
    {
        Name = Demo.Model,
        Hash = "f00d",
        Architecture = "llama",
        ContextLength = Demo.ContextTokens,
        VocabularySize = Demo.Tokenizer.VocabularySize,
        ParameterCount = 7_340_000,
        WeightBytes = 7_900_000,
        KvBytesPerToken = 4_096,
        LoadedAtUnixSeconds = 1_790_000_000,
        DeterminismClass = "f00d/test/f16",
        TokenizerBytes = Demo.TokenizerBytes.Length,
    };

    /// <summary>Null: the worker's model still loads.</summary>
    public KvLadder? Ladder { get; set; } = new(
    [
        new KvRung { Name = "f16", Bits = 16, Ratio = 1, BytesPerToken = 4_133, MeanKl = 0, P99Kl = 0, Recall = 0.978 },
        new KvRung { Name = "int4", Bits = 4.5, Ratio = 3.4135, BytesPerToken = 1_211, MeanKl = 0.0041, P99Kl = 0.052 },
    ]);

    /// <summary>Set: workers fail when asked for their ladder.</summary>
    public Exception? LadderFault { get; set; }

    public FakeTenant Tenant(string id) => _tenants.GetOrAdd(id, key => new FakeTenant(this, key));

    public FakeSequence Sequence(string key) => _sequences.GetOrAdd(key, name => new FakeSequence(this, name));

    public IEnumerable<string> SequenceKeys => _sequences.Keys;

    public TGrainInterface GetGrain<TGrainInterface>(string primaryKey, string? grainClassNamePrefix = null)
        where TGrainInterface : IGrainWithStringKey
    {
        object grain = typeof(TGrainInterface) switch
        {
            Type type when type == typeof(ISequenceGrain) => Sequence(primaryKey),
            Type type when type == typeof(ITenantGrain) => Tenant(primaryKey),
            Type type when type == typeof(IMemoryBudgetGrain) => Budget,
            Type type when type == typeof(IWorkerGrain) => new FakeWorker(this, primaryKey),
            Type type => throw new NotSupportedException($"No fake of {type}."),
        };
        return (TGrainInterface)grain;
    }

    public IGrain GetGrain(Type grainInterfaceType, string grainPrimaryKey) => throw new NotSupportedException();

    public TGrainInterface GetGrain<TGrainInterface>(GrainId grainId)
        where TGrainInterface : IAddressable => throw new NotSupportedException();
}
