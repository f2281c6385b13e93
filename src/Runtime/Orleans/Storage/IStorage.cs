namespace Orleans.Core;

/// <summary>A durable state without its value.</summary>
public interface IStorage
{
    /// <summary>Version of the stored value; null when nothing is stored.</summary>
    string? Etag { get; }

    /// <summary>True when a value is stored.</summary>
    bool RecordExists { get; }

    /// <summary>Removes the stored value.</summary>
    /// <exception cref="Orleans.Storage.InconsistentStateException">Another writer was here; deactivate and reload.</exception>
    Task ClearStateAsync();

    /// <summary>Stores the value.</summary>
    /// <exception cref="Orleans.Storage.InconsistentStateException">Another writer was here; deactivate and reload.</exception>
    Task WriteStateAsync();

    /// <summary>Reads the stored value.</summary>
    Task ReadStateAsync();

    /// <inheritdoc cref="ClearStateAsync()"/>
    Task ClearStateAsync(CancellationToken cancellationToken) => ClearStateAsync();

    /// <inheritdoc cref="WriteStateAsync()"/>
    Task WriteStateAsync(CancellationToken cancellationToken) => WriteStateAsync();

    /// <inheritdoc cref="ReadStateAsync()"/>
    Task ReadStateAsync(CancellationToken cancellationToken) => ReadStateAsync();
}
