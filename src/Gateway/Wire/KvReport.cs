using System.Text.Json.Serialization;
using Concertina.Contracts.Workers;

namespace Concertina.Gateway.Wire;

/// <summary>KV memory of all workers, as <c>GET /admin/kv</c> shows it.</summary>
/// <param name="Data">By model, then by worker.</param>
internal sealed record KvReport(KvReport.Worker[] Data)
{
    [JsonPropertyOrder(-1)]
    public string Object { get; } = "list";

    public static KvReport Of(IEnumerable<WorkerLoad> loads) => new([.. loads.Select(Of)]);

    private static Worker Of(WorkerLoad load)
    {
        long usable = load.BudgetBytes - load.TranscodeReserveBytes;
        return new Worker(
            load.Worker, load.Model, load.Epoch, load.Accepting, load.StalledStage, load.BudgetBytes, load.TranscodeReserveBytes, load.CommittedBytes,
            load.UsedBytes, usable > 0 ? (double)load.UsedBytes / usable : null, load.Running, load.Queued, load.QueueLimit);
    }

    /// <summary>One worker. All bytes are physical.</summary>
    /// <param name="Id">Worker's key.</param>
    /// <param name="Model">Model it serves.</param>
    /// <param name="Epoch">Plans of older epochs are refused.</param>
    /// <param name="Accepting">False while it loads, drains or has stalled.</param>
    /// <param name="StalledStage">Stage in which it stalled; null: it has not.</param>
    /// <param name="BudgetBytes">Its budget; 0 while it loads.</param>
    /// <param name="ReserveBytes">Of the budget, what only transcoding may use.</param>
    /// <param name="CommittedBytes">Promised to running sequences.</param>
    /// <param name="UsedBytes">In use.</param>
    /// <param name="Pressure">Used bytes by the budget without the reserve; null while it loads.</param>
    /// <param name="Running">Running sequences.</param>
    /// <param name="Queued">Requests that wait.</param>
    /// <param name="QueueLimit">Most requests that may wait.</param>
    internal sealed record Worker(
        string Id, string Model, long Epoch, bool Accepting, string? StalledStage, long BudgetBytes, long ReserveBytes, long CommittedBytes,
        long UsedBytes, double? Pressure, int Running, int Queued, int QueueLimit)
    {
        [JsonPropertyOrder(-1)]
        public string Object { get; } = "kv.worker";
    }
}
