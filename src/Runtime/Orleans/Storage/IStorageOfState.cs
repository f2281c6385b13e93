namespace Orleans.Core;

/// <summary>A durable state.</summary>
public interface IStorage<TState> : IStorage
{
    /// <summary>The value as last read or set; a new object when nothing is stored.</summary>
    TState State { get; set; }
}
