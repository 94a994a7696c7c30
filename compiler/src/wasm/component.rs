//! Wraps a core module as a component. What the module imports decides what the component does: everything else that
//! the world could import is left out.

use wit_component::{ComponentEncoder, StringEncoding};

use super::wit::World;

/// The component around a core module that imports and exports by the world's names.
pub fn wrap(mut core: Vec<u8>, world: &World) -> Result<Vec<u8>, String> {
    let told = |error| format!("{error:#}");
    wit_component::embed_component_metadata(
        &mut core,
        &world.resolve,
        world.id,
        StringEncoding::UTF8,
    )
    .map_err(told)?;
    let encoder = ComponentEncoder::default().module(&core).map_err(told)?;
    let mut component = encoder.validate(true).encode().map_err(told)?;
    // Names of what connects module and host: nobody reads them, and they are many.
    super::section::leave_out(&mut component, "component-name");
    Ok(component)
}
