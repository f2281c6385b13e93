using Orleans.Core;

namespace Orleans.Runtime;

/// <summary>A durable state of a grain; a constructor parameter with <see cref="PersistentStateAttribute"/>.</summary>
public interface IPersistentState<TState> : IStorage<TState>;
