namespace Concertina.Compute.Store;

/// <summary>What is wrong with a session file. Every fault costs a re-prefill and nothing else.</summary>
public enum SessionFileFault
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>There is no file.</summary>
    Missing,

    /// <summary>The last record is incomplete: the process or machine stopped while writing. The records before it are whole.</summary>
    HalfWritten,

    /// <summary>A checksum or a count is wrong. Records before the damage are whole.</summary>
    Damaged,

    /// <summary>The file was written by another format version.</summary>
    Version,

    /// <summary>The file belongs to another tenant, session or model.</summary>
    Foreign,

    /// <summary>A newer owner of the session has written the file.</summary>
    StaleEpoch,

    /// <summary>The file is older than <see cref="StoreOptions.TtlHours"/>.</summary>
    Expired,

    /// <summary>The pages were written under another KV profile, ladder or determinism class, or the file was encrypted under another key or none.</summary>
    Formats,

    /// <summary>The pages are those of other tokens than the session holds now.</summary>
    Superseded,

    /// <summary>The session alone exceeds <see cref="StoreOptions.QuotaBytes"/>.</summary>
    Quota,

    /// <summary>The operating system refused to read or write (disk full, permissions).</summary>
    Io,
}
