using Concertina.Compute.Store;
using Concertina.Contracts.Sessions;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;

namespace Concertina.Grains.Sessions;

/// <summary>
/// What of one session outlives its activation: small state and a token file. State is written first and fences the
/// file: a file never has a higher epoch than the state of its owner.
/// </summary>
internal sealed class SessionRecord(
    string key, IPersistentState<SequenceState> state, SessionTokenStore store, ILogger logger)
{
    private readonly SequenceKey _key = SequenceKey.Parse(key);
    private bool _owned;

    /// <summary>True when something is kept: the store is on and the request names a session.</summary>
    public bool IsKept => store.Enabled && !_key.IsEphemeral;

    /// <summary>True when an earlier activation left something.</summary>
    public bool Exists => IsKept && state.RecordExists;

    /// <summary>True when there is a token file that is not past its time.</summary>
    public bool HasFile => store.Holds(key);

    public SequenceState State => state.State;

    /// <summary>Epoch under which the session's files are read and written; null: it has none.</summary>
    public long? KeptEpoch => Exists ? state.State.Epoch : null;

    /// <summary>The tokens of the session's file, as far as they are whole and ours.</summary>
    public async Task<int[]> Load(string modelHash)
    {
        if (!Exists)
        {
            return [];
        }
        SessionTokens loaded = await store.LoadAsync(new SessionIdentity(key, _key.TenantId, modelHash, state.State.Epoch), state.State.TokenCount);
        if (loaded.Fault is not (SessionFileFault.None or SessionFileFault.Missing))
        {
            GrainsLog.SessionFileFaulty(logger, key, loaded.Fault, loaded.Detail, loaded.Tokens.Length);
        }
        return loaded.Tokens;
    }

    /// <summary>Makes the session durable after a request; state and file are on disk when it returns.</summary>
    /// <returns>False when another activation owns the session now.</returns>
    public async Task<bool> Save(SessionSaveRequest save)
    {
        if (!IsKept)
        {
            return true;
        }
        SequenceState before = state.State;
        ulong[] columns = PrefixHash.Columns(_key.TenantId, null, save.Tokens);
        state.State = before with
        {
            Home = save.Home,
            Epoch = before.Epoch + (_owned ? 0 : 1),
            TokenCount = save.Tokens.Length,
            ChainedHash = columns.Length == 0 ? 0 : columns[^1],
            Rung = save.Rung,
            FileName = SessionTokenStore.FileName(key),
            Requests = before.Requests + 1,
            PromptTokens = before.PromptTokens + save.PromptTokens,
            GeneratedTokens = before.GeneratedTokens + save.GeneratedTokens,
        };
        try
        {
            await state.WriteStateAsync();
        }
        catch (Exception problem)
        {
            state.State = before;
            GrainsLog.StateNotWritten(logger, key, problem);
            return problem is not Orleans.Storage.InconsistentStateException;
        }
        _owned = true;
        SessionSave saved = await store.SaveAsync(new SessionIdentity(key, _key.TenantId, save.ModelHash, state.State.Epoch), save.Tokens);
        if (saved.Fault != SessionFileFault.None)
        {
            GrainsLog.SessionNotSaved(logger, key, saved.Fault, saved.Detail);
        }
        return saved.Fault != SessionFileFault.StaleEpoch;
    }

    /// <summary>Removes state and file.</summary>
    public async Task Delete()
    {
        _owned = false;
        await store.DeleteAsync(key);
        if (state.RecordExists)
        {
            await state.ClearStateAsync();
        }
    }
}
