using Concertina.Compute.Engine;
using Concertina.Compute.KvCache;
using Concertina.Grains.Workers;

namespace Concertina.Grains.Sessions;

/// <summary>The handle through which a session owns its units; opened when first needed.</summary>
internal sealed class SessionUnits(string key, LocalWorker worker, SessionRecord record)
{
    private readonly string _tenantId = SequenceKey.Parse(key).TenantId;
    private string? _cacheSalt;

    /// <summary>The open handle, or null.</summary>
    public SequenceHandle? Handle { get; private set; }

    /// <summary>Opens the sequence: with the tokens of its file on first use, with those it has when the salt changes.</summary>
    public async Task<SequenceHandle> Open(string? cacheSalt)
    {
        if (Handle is { } open && _cacheSalt == cacheSalt)
        {
            return open;
        }
        ServedModel served = worker.Served ?? throw new InvalidOperationException($"Worker '{worker.Key}' has no model yet.");
        int[] tokens = Handle is { } other ? other.CopyTokens() : await record.Load(served.Facts.Hash);
        await Close();
        SequenceHandle handle = served.Engine.Open(new SequenceIdentity(key, _tenantId, PrefixScope.For(_tenantId, cacheSalt)));
        handle.RestoreTokens(tokens);
        handle.Keep(record.KeptEpoch);
        (Handle, _cacheSalt) = (handle, cacheSalt);
        return handle;
    }

    /// <summary>Copies idle units to the session's page file, where it has one; it is whole when this completes, or given up.</summary>
    public Task Spill() => Handle?.SpillAsync() ?? Task.CompletedTask;

    /// <summary>Gives the units back; the engine ends what still runs on them. Full columns stay as prefix cache.</summary>
    public async Task Close()
    {
        SequenceHandle? handle = Handle;
        Handle = null;
        if (handle is not null)
        {
            await handle.DisposeAsync();
        }
    }
}
