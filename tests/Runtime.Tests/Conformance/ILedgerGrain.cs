using Orleans;
using Orleans.Runtime;

namespace Concertina.Runtime.Tests.Conformance;

[Alias("test.ledger")]
public interface ILedgerGrain : IGrainWithStringKey
{
    [Alias("add")]
    Task<string> Add(int amount);

    [Alias("read")]
    Task<(int Sum, bool Exists)> Read();

    [Alias("reload")]
    Task Reload();

    [Alias("clear")]
    Task Clear();

    [Alias("end")]
    Task End();
}

[GenerateSerializer]
[Alias("test.ledger-state")]
public sealed class LedgerState
{
    [Id(0)] public int Sum { get; set; }
}

/// <summary>Two classes that keep the same state under one name would be a bug; two grains of one class cannot share one.</summary>
[GrainType("ledger")]
public sealed class LedgerGrain([PersistentState("ledger")] IPersistentState<LedgerState> ledger) : Grain, ILedgerGrain
{
    public async Task<string> Add(int amount)
    {
        ledger.State.Sum += amount;
        await ledger.WriteStateAsync();
        return ledger.Etag!;
    }

    public Task<(int Sum, bool Exists)> Read() => Task.FromResult((ledger.State.Sum, ledger.RecordExists));

    public Task Reload() => ledger.ReadStateAsync();

    public Task Clear() => ledger.ClearStateAsync();

    public Task End()
    {
        DeactivateOnIdle();
        return Task.CompletedTask;
    }
}
