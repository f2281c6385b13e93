using System.Text.Json.Serialization;
using Concertina.Contracts.Workers;

namespace Concertina.Gateway.Wire.Admin;

/// <summary>KV budgets after a change, as <c>PUT /admin/kv/budget</c> answers.</summary>
/// <param name="Data">The workers that were asked.</param>
internal sealed record BudgetList(BudgetList.Budget[] Data)
{
    [JsonPropertyOrder(-1)]
    public string Object { get; } = "list";

    /// <summary>One worker's budget. While <paramref name="Hold"/> is not null, the actual bytes fall towards the target.</summary>
    internal sealed record Budget(string Worker, long TargetBytes, long ActualBytes, string? Hold, long PromisedBytes)
    {
        [JsonPropertyOrder(-1)]
        public string Object { get; } = "kv.budget";

        public static Budget Of(string worker, BudgetChange change) =>
            new(worker, change.TargetBytes, change.ActualBytes, HoldOf(change), change.PromisedBytes);

        /// <summary>What holds a change up, as the API writes it; null: nothing.</summary>
        public static string? HoldOf(BudgetChange? change) =>
            change is null or { Hold: "None" } ? null : change.Hold.ToLowerInvariant();
    }
}
