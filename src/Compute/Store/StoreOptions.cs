using System.ComponentModel.DataAnnotations;

namespace Concertina.Compute.Store;

/// <summary>What a worker keeps on disk, where, and for how long.</summary>
public sealed record StoreOptions
{
    /// <summary>Configuration section these options bind to.</summary>
    public const string Section = "Store";

    /// <summary>
    /// Folder of grain state and session files. The default, empty, means a folder of this server's port below the user's
    /// local application data, so that a restart on the same port finds its sessions and two servers never share one.
    /// </summary>
    public string Directory { get; init; } = "";

    /// <summary>Whether the token ids of sessions are kept on disk. Default <see cref="SessionPersistence.On"/>.</summary>
    public SessionPersistence Sessions { get; init; } = SessionPersistence.On;

    /// <summary>Hours without a request after which a session is removed. Default 168 (a week).</summary>
    [Range(0.01, 876_000, ErrorMessage = "Store:TtlHours must be between 0.01 and 876000.")]
    public double TtlHours { get; init; } = 168;

    /// <summary>Bytes of all session files together; beyond, the least recently used go first. Default 1 GiB.</summary>
    [Range(1L << 20, 16L << 40, ErrorMessage = "Store:QuotaBytes must be between 1 MiB and 16 TiB.")]
    public long QuotaBytes { get; init; } = 1L << 30;

    /// <summary>
    /// Key under which token files and page files are encrypted (AES-256-GCM), 64 hexadecimal digits. The default, empty, means that
    /// they are stored as they are. Another key, or none, makes files written before useless: their sessions are computed anew.
    /// </summary>
    [RegularExpression("([0-9A-Fa-f]{64})?", ErrorMessage = "Store:EncryptionKey must be empty or 64 hexadecimal digits.")]
    public string EncryptionKey { get; init; } = "";
}
