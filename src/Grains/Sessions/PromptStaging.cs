using Concertina.Contracts.Sessions;

namespace Concertina.Grains.Sessions;

/// <summary>
/// Prompts that arrive in several messages, until their request names them. Few, bounded, and forgotten after a minute.
/// One thread at a time.
/// </summary>
internal sealed class PromptStaging(TimeProvider time)
{
    public const int MaxPrompts = 4;
    public const int MaxTokens = 1 << 21;
    public static readonly TimeSpan KeptFor = TimeSpan.FromMinutes(1);
    private readonly Dictionary<string, Staged> _prompts = [];

    /// <summary>True when nothing is here.</summary>
    public bool IsEmpty => _prompts.Count == 0;

    /// <summary>Adds a part; the first part of a request starts it anew.</summary>
    /// <exception cref="ArgumentException">The part leaves a gap, is too long for a message, or the prompt is too long.</exception>
    public void Add(PromptPart part)
    {
        RemoveExpired();
        if (part.Tokens.Length > TokenPacking.MaxMessageBytes)
        {
            throw new ArgumentException($"A part has {part.Tokens.Length:N0} bytes; at most {TokenPacking.MaxMessageBytes:N0} are allowed.", nameof(part));
        }
        if (part.TokenOffset == 0)
        {
            MakeRoom();
            _prompts[part.RequestId] = new Staged();
        }
        Staged staged = _prompts.TryGetValue(part.RequestId, out Staged? known) && known.Tokens.Count == part.TokenOffset
            ? known
            : throw new ArgumentException(
                $"The part starts at token {part.TokenOffset}, {known?.Tokens.Count ?? 0} tokens are here; parts come in order, without gaps, " +
                $"within {KeptFor.TotalSeconds:F0} s.", nameof(part));
        if (staged.Tokens.Count + (part.Tokens.Length / sizeof(int)) > MaxTokens)
        {
            _prompts.Remove(part.RequestId);
            throw new ArgumentException($"A staged prompt has at most {MaxTokens:N0} tokens.", nameof(part));
        }
        staged.Tokens.AddRange(TokenPacking.Unpack(part.Tokens));
        staged.TouchedAt = time.GetTimestamp();
    }

    /// <summary>Hands out a request's prompt and forgets it; null if none is here.</summary>
    public int[]? Take(string requestId)
    {
        RemoveExpired();
        return _prompts.Remove(requestId, out Staged? staged) ? [.. staged.Tokens] : null;
    }

    /// <summary>Forgets a request's prompt.</summary>
    public void Drop(string requestId) => _prompts.Remove(requestId);

    /// <summary>Forgets all.</summary>
    public void Clear() => _prompts.Clear();

    /// <summary>Forgets prompts whose request never came.</summary>
    public void RemoveExpired()
    {
        foreach ((string requestId, Staged staged) in _prompts)
        {
            if (time.GetElapsedTime(staged.TouchedAt) > KeptFor)
            {
                _prompts.Remove(requestId);
            }
        }
    }

    private void MakeRoom()
    {
        if (_prompts.Count >= MaxPrompts)
        {
            _prompts.Remove(_prompts.MinBy(prompt => prompt.Value.TouchedAt).Key);
        }
    }

    private sealed class Staged
    {
        public List<int> Tokens { get; } = [];

        public long TouchedAt { get; set; }
    }
}
