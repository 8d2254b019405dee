//! How a pipeline is compiled, which takes a driver milliseconds to seconds.
//!
//! wgpu only knows the method that has a browser compile on the thread of its GPU process, one pipeline after the other,
//! with what pages want drawn behind them (gpuweb/gpuweb#1641). The standard's asynchronous twin compiles beside that
//! thread, and several at a time. What wgpu asks of its device is therefore turned into that.

#[cfg(target_arch = "wasm32")]
pub(super) use browser::Compiling;
#[cfg(not(target_arch = "wasm32"))]
pub(super) use native::Compiling;

#[cfg(not(target_arch = "wasm32"))]
mod native {
    /// A pipeline that was asked for.
    pub struct Compiling(wgpu::ComputePipeline);

    impl Compiling {
        /// Asks for the pipeline that `make` makes.
        pub fn start(_: &wgpu::Device, make: impl FnOnce() -> wgpu::ComputePipeline) -> Self {
            Self(make())
        }

        /// The pipeline; natively it is there at once, and what was wrong is known to the error scopes.
        #[allow(clippy::unused_async, reason = "a browser has to wait")]
        pub async fn finish(self, _: impl FnOnce() -> wgpu::ComputePipeline) -> Result<wgpu::ComputePipeline, String> {
            Ok(self.0)
        }
    }
}

#[cfg(target_arch = "wasm32")]
mod browser {
    use js_sys::futures::JsFuture;
    use js_sys::{Error, Object, Promise, Reflect};
    use wasm_bindgen::prelude::{ScopedClosure, wasm_bindgen};
    use wasm_bindgen::{JsCast, JsValue};

    /// The method that wgpu calls, and its twin.
    const PLAIN: &str = "createComputePipeline";
    const ASYNC: &str = "createComputePipelineAsync";

    #[wasm_bindgen]
    extern "C" {
        pub type GpuDevice;
        #[wasm_bindgen(method, js_name = "createComputePipelineAsync")]
        fn compile(this: &GpuDevice, descriptor: &JsValue) -> Promise;
    }

    /// A pipeline that was asked for.
    pub enum Compiling {
        /// By a browser that has no other way.
        Made(wgpu::ComputePipeline),
        Asked(GpuDevice, JsFuture),
    }

    impl Compiling {
        /// Asks for the pipeline that `make` makes.
        pub fn start(device: &wgpu::Device, make: impl FnOnce() -> wgpu::ComputePipeline) -> Self {
            let Some(device) = handle(device) else { return Self::Made(make()) };
            let mut promise = None;
            let ask = |descriptor| {
                promise = Some(device.compile(&descriptor).into());
                JsValue::UNDEFINED
            };
            let made = with_plain(&device, ask, make);
            match promise {
                Some(promise) => Self::Asked(device, promise),
                None => Self::Made(made),
            }
        }

        /// Waits for the pipeline; `make` is to make the same one again, around what the browser has compiled by then.
        pub async fn finish(
            self,
            make: impl FnOnce() -> wgpu::ComputePipeline,
        ) -> Result<wgpu::ComputePipeline, String> {
            match self {
                Self::Made(pipeline) => Ok(pipeline),
                Self::Asked(device, promise) => match promise.await {
                    Ok(compiled) => Ok(with_plain(&device, |_| compiled.clone(), make)),
                    Err(error) => Err(error.unchecked_into::<Error>().message().into()),
                },
            }
        }
    }

    /// The browser's own device, if it can compile aside.
    fn handle(device: &wgpu::Device) -> Option<GpuDevice> {
        let device = device.as_webgpu().filter(|device| Reflect::has(device, &ASYNC.into()).unwrap_or(false));
        device.map(|device| JsValue::from(device.clone()).unchecked_into())
    }

    /// Calls `work`, for which the device makes pipelines as `plain` does.
    fn with_plain<T>(device: &GpuDevice, mut plain: impl FnMut(JsValue) -> JsValue, work: impl FnOnce() -> T) -> T {
        let method = ScopedClosure::<dyn FnMut(JsValue) -> JsValue>::borrow_mut(&mut plain);
        let replaced = Reflect::set(device, &PLAIN.into(), method.as_js_value());
        debug_assert_eq!(replaced, Ok(true));
        let done = work();
        // What is left is the method that the device inherits.
        let restored = Reflect::delete_property(device.unchecked_ref::<Object>(), &PLAIN.into());
        debug_assert_eq!(restored, Ok(true));
        done
    }
}
