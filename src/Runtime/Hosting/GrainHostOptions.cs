using System.ComponentModel.DataAnnotations;

namespace Concertina.Runtime.Hosting;

/// <summary>Limits and times of the grain host. Section <c>GrainHost</c>.</summary>
public sealed record GrainHostOptions
{
    /// <summary>Configuration section.</summary>
    public const string Section = "GrainHost";

    /// <summary>Name of the cluster; silos of one name find each other.</summary>
    [Required(AllowEmptyStrings = false, ErrorMessage = "GrainHost:ClusterId must not be empty.")]
    public string ClusterId { get; set; } = "concertina";

    /// <summary>Name of this silo.</summary>
    [Required(AllowEmptyStrings = false, ErrorMessage = "GrainHost:SiloName must not be empty.")]
    public string SiloName { get; set; } = "silo";

    /// <summary>How long a caller waits for an answer unless the method says otherwise; 1 ms to 1 day, 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "1.00:00:00", ErrorMessage = "GrainHost:ResponseTimeout must be 1 ms to 1 day.")]
    public TimeSpan ResponseTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>A timed-out request is cancelled at the callee. Off, as on Orleans: the callee goes on.</summary>
    public bool CancelRequestOnTimeout { get; set; }

    /// <summary>Most requests that wait for one grain; more get LimitExceededException. 1 to 1,000,000, 10,000.</summary>
    [Range(1, 1_000_000, ErrorMessage = "GrainHost:MailboxLimit must be 1 to 1,000,000 requests.")]
    public int MailboxLimit { get; set; } = 10_000;

    /// <summary>Idle time after which an activation is collected; at least 1 s, 15 min.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "365.00:00:00", ErrorMessage = "GrainHost:CollectionAge must be 1 s to 365 days.")]
    public TimeSpan CollectionAge { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>How often idle activations are looked for; 100 ms to 1 h, 1 min.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "01:00:00", ErrorMessage = "GrainHost:CollectionQuantum must be 100 ms to 1 h.")]
    public TimeSpan CollectionQuantum { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Longest activation: construction, state, OnActivateAsync; 10 ms to 1 h, 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "01:00:00", ErrorMessage = "GrainHost:ActivationTimeout must be 10 ms to 1 h.")]
    public TimeSpan ActivationTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Longest deactivation: running requests, OnDeactivateAsync; 10 ms to 1 h, 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "01:00:00", ErrorMessage = "GrainHost:DeactivationTimeout must be 10 ms to 1 h.")]
    public TimeSpan DeactivationTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>A stream nobody pulls for this long is ended; 10 ms to 1 day, 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "1.00:00:00", ErrorMessage = "GrainHost:EnumerationCleanupInterval must be 10 ms to 1 day.")]
    public TimeSpan EnumerationCleanupInterval { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Fails calls that close a cycle of waiting, naming the chain. Takes one lock per call: for tests.</summary>
    public bool DetectDeadlocks { get; set; }
}
